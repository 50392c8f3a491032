"""The HTTP face of the engine: routes, answers, problems, OpenAPI."""

from loresmith.api.app import create_app

__all__ = ["create_app"]
