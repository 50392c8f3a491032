"""The API with callers who must show who they are, for those who attack it."""

from tests.api.conftest import database, manager, registry, worlds

__all__ = ["database", "manager", "registry", "worlds"]
"""Fixtures of the API, for the tests here."""
