"""Names of providers that are known without loading what speaks with them."""

from collections.abc import Callable
from typing import Final

BaseUrl = str | Callable[[], str | None]
"""Where a server is; a callable returns None while there is none."""

COMPATIBLE: Final = "openai-compatible"
