"""What a process says of itself: logs, metrics, traces."""

from loresmith.telemetry.logs import configure_logging

__all__ = ["configure_logging"]
