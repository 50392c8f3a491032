"""Pauses between tries as short as a test likes them."""

from typing import Final

from loresmith.jobs import Pacing

QUICK: Final = Pacing(first_wait_seconds=0.05, longest_wait_seconds=0.2, retry_seconds=((0.01, 0.05),))
