"""How long a provider asks to wait, from headers that servers write in many ways."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

LONGEST_PAUSE_SECONDS: Final = 120.0
_YEAR_SECONDS: Final = 31_536_000.0
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def retry_after(
    headers: Mapping[str, str], *, now: float | None = None, longest: float = LONGEST_PAUSE_SECONDS
) -> float | None:
    """Return the seconds to wait, at most `longest`; None where the headers say nothing that can be meant.

    Besides seconds and dates (RFC 9110, section 10.2.3) there are milliseconds (`retry-after-ms`), durations (`6m0s`,
    `20ms`) and Unix times in seconds or milliseconds. What is negative, past or a word says nothing.
    """
    at = time.time() if now is None else now
    lower = {name.lower(): value.strip() for name, value in headers.items()}
    wait = _milliseconds(lower.get("retry-after-ms", ""))
    if wait is None:
        wait = _seconds(lower.get("retry-after", ""), at)
    return None if wait is None else min(wait, longest)


def _milliseconds(text: str) -> float | None:
    number = _number(text)
    return number / 1000 if number is not None and number >= 0 else None


def _seconds(text: str, now: float) -> float | None:
    number = _number(text)
    if number is None:
        return _duration(text) if _duration(text) is not None else _date(text, now)
    if number < 0:
        return None
    if number < _YEAR_SECONDS:
        return number
    unix = number / 1000 if number > 1e11 else number
    return unix - now if unix > now else None


def _duration(text: str) -> float | None:
    parts = _PART.findall(text.lower())
    if not parts or "".join(number + unit for number, unit in parts) != text.lower():
        return None
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def _date(text: str, now: float) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    left = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now
    return left if left > 0 else None


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
