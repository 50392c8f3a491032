"""Ids in addresses: UUIDs in the forms of RFC 9562, taken in any case."""

import re
from typing import Final

_CANONICAL: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_WRITTEN: Final = re.compile(
    r"(?i:urn:uuid:)?(?P<bare>[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})"
    r"|\{(?P<braced>[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})\}"
)


def canonical_id(text: str) -> str:
    """Return an id in lower case, without `urn:uuid:` or braces; what is no id is returned as it is."""
    found = _WRITTEN.fullmatch(text)
    return text if found is None else (found["bare"] or found["braced"]).lower()


def is_canonical_id(text: str) -> bool:
    """Tell whether a text is a UUID in lower case with hyphens."""
    return _CANONICAL.fullmatch(text) is not None
