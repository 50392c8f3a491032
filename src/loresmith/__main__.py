"""The command `loresmith`, also where the client alone is installed."""

import sys


def main() -> None:
    """Run the command line, which the extra `server` brings."""
    try:
        from loresmith.cli import main as run  # noqa: PLC0415 - its libraries may be missing
    except ModuleNotFoundError as error:
        if (error.name or "loresmith").partition(".")[0] == "loresmith":
            raise
        sys.exit(f"loresmith: the command line needs {error.name!r}, not installed: pip install 'loresmith[server]'")
    run()


if __name__ == "__main__":
    main()
