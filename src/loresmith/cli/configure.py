"""Settings and logs of a command."""

from __future__ import annotations

from typing import Any

from loresmith.settings import Settings, load_settings
from loresmith.telemetry import configure_logging


def configure(*, least_log_level: str = "info", **options: Any) -> Settings:
    """Read the settings, with the command's own options first, and set up logs. Raises SettingsError.

    `least_log_level` holds unless LORESMITH_LOG_LEVEL is set.
    """
    settings = load_settings(**{name: value for name, value in options.items() if value is not None})
    configure_logs(settings, least_log_level)
    return settings


def configure_logs(settings: Settings, least_log_level: str) -> None:
    """Set up the logs of a process."""
    chosen = "log_level" in settings.model_fields_set
    level = settings.log_level if chosen else least_log_level
    configure_logging(level, settings.log_format, content=settings.log_content)
