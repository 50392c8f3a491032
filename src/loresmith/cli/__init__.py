"""The command line, one file per group of commands."""

from loresmith.cli.app import main

__all__ = ["main"]
