"""`loresmith webhooks`: whom a job of a running server tells of its end, and what came of that."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from loresmith.cli.remote import AsJson, Url, connected, print_table
from loresmith.cli.terminal import print_json, say
from loresmith.cli.watching import JobId

if TYPE_CHECKING:
    from loresmith.client.models import Delivery


def webhooks(job_id: JobId, url: Url = None, as_json: AsJson = False) -> None:
    """Show what came of the webhook of a job: each try, and when the next is due."""
    with connected(url) as client:
        log = client.webhooks(job_id)
    if as_json:
        print_json(log.document)
    elif log.webhook is None:
        say("the job has no webhook")
    else:
        say(f"{log.webhook.url}  {', '.join(log.webhook.events)}")
        for delivery in log.data:
            _show(delivery)


def _show(delivery: Delivery) -> None:
    due = f", next try {_moment(delivery.next_try_at)}" if delivery.next_try_at else ""
    say(f"{delivery.id}  {delivery.state}{due}" + (f": {delivery.error}" if delivery.error else ""))
    rows = [
        (_moment(one.at), one.outcome, str(one.status or "-"), "-" if one.seconds is None else f"{one.seconds:.2f} s")
        for one in delivery.tries
    ]
    if rows:
        print_table(("TRIED", "OUTCOME", "STATUS", "TOOK"), rows)


def _moment(moment: datetime) -> str:
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")
