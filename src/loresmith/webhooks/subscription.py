"""What a client asks for: the address that is told, and of which ends of the job."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, get_args
from urllib.parse import SplitResult, urlsplit
from uuid import UUID, uuid5

import msgspec

from loresmith.jobs import Job
from loresmith.webhooks.addresses import is_address, is_public

Event = Literal["job.completed", "job.failed", "job.cancelled"]
EVENTS: Final[tuple[Event, ...]] = get_args(Event)
LONGEST_URL: Final = 2048
ATTACHED: Final = "webhook"
"""The name under which a subscription is attached to its job."""
_HTTPS_PORT: Final = 443
_LEAST_PORT: Final = 1024
_NAMESPACE: Final = UUID("3f0e6a3e-6a52-4b0e-9a55-2c2f5d0b7c11")


class WrongUrlError(ValueError):
    """A URL to which nothing may be sent; the message says what was expected."""


class Subscription(msgspec.Struct, frozen=True):
    """Who is told of the end of a job: the receiver's URL, and the events that it wants."""

    url: str
    events: Sequence[str] = EVENTS

    @classmethod
    def of(cls, attached: Mapping[str, Any]) -> "Subscription | None":
        """Return the subscription that is attached to a job. Raises msgspec.ValidationError for none that is one."""
        found = attached.get(ATTACHED)
        return None if found is None else msgspec.convert(found, cls)

    @property
    def attached(self) -> dict[str, Any]:
        """What is attached to the job."""
        return {ATTACHED: {"url": self.url, "events": list(self.events)}}

    def event_of(self, job: Job) -> str | None:
        """Return the event that the end of a job is, if the receiver wants it."""
        event = f"job.{job.state}"
        return event if event in self.events else None

    @property
    def shown_url(self) -> str:
        """The URL as its owner is shown it: what follows a `?` may be a secret."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}{parts.path}" + ("?…" if parts.query else "")

    @property
    def host(self) -> str:
        """The receiver as logs name it: paths may be secrets, too."""
        return urlsplit(self.url).netloc

    @property
    def receiver(self) -> str:
        """The name of the host, one for all of its ports and spellings: its deliveries are bounded together."""
        return (urlsplit(self.url).hostname or "").rstrip(".")


class Rules:
    """Which URLs are taken. With `allow_private`, also those of private networks and this machine, and plain HTTP."""

    def __init__(self, *, allow_private: bool = False) -> None:
        self.allow_private = allow_private

    def check(self, url: str) -> None:
        """Raise WrongUrlError for a URL to which nothing may be sent, as far as that shows without resolving it."""
        if len(url) > LONGEST_URL:
            raise WrongUrlError(f"expected at most {LONGEST_URL:,} characters")
        if not url.isascii() or not url.isprintable() or any(letter in url for letter in ' "<>\\^`{|}'):
            raise WrongUrlError("expected ASCII characters: percent-encoded, and xn--… for a name of other letters")
        parts = _split(url)
        schemes = ("https", "http") if self.allow_private else ("https",)
        if parts.scheme not in schemes or not parts.hostname:
            raise WrongUrlError(f"expected {' or '.join(f'{one}://…' for one in schemes)} with the name of a host")
        if "@" in parts.netloc:
            raise WrongUrlError("expected no user name and no password: the signature says who sends")
        if parts.fragment:
            raise WrongUrlError("expected no fragment (#…): it is never sent")
        if not self.allow_private:
            _check_place(parts)


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise WrongUrlError("expected a URL such as https://example.com/hooks") from None
    return parts


def _check_place(parts: SplitResult) -> None:
    port = _HTTPS_PORT if parts.port is None else parts.port
    if port != _HTTPS_PORT and port < _LEAST_PORT:
        raise WrongUrlError(f"expected port {_HTTPS_PORT}, or one from {_LEAST_PORT} on")
    host = parts.hostname or ""
    if is_address(host) and not is_public(host):
        raise WrongUrlError("expected an address of the public internet")


def webhook_id(job_id: str, event: str) -> str:
    """Return the id of the message that tells of an event: the same in every try, so that a receiver can drop doubles.

    Standard Webhooks signs it with dots around, so it has none.
    """
    return f"msg_{job_id}_{event.rpartition('.')[2]}"


def delivery_id(job_id: str, event: str) -> str:
    """Return the id of the job that delivers an event."""
    return str(uuid5(_NAMESPACE, webhook_id(job_id, event)))
