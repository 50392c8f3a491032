"""Metrics by label values, of which there are never more than a bound."""

from typing import Final, Generic, TypeVar

from prometheus_client import Counter, Histogram

M = TypeVar("M", Counter, Histogram)

MOST_CHILDREN: Final = 500
OTHER: Final = "other"


class Family(Generic[M]):
    """The children of one metric; beyond the bound, what is new counts as `other`.

    A lookup costs a fraction of what `labels` does.
    """

    __slots__ = ("_children", "_metric", "_most")

    def __init__(self, metric: M, *, most: int = MOST_CHILDREN) -> None:
        self._metric = metric
        self._most = most
        self._children: dict[tuple[str, ...], M] = {}

    def of(self, *values: str) -> M:
        """Return the child with these label values."""
        child = self._children.get(values)
        return child if child is not None else self._new(values)

    def _new(self, values: tuple[str, ...]) -> M:
        if len(self._children) >= self._most:
            return self._metric.labels(*[OTHER] * len(values))
        child = self._children[values] = self._metric.labels(*values)
        return child
