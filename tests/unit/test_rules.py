"""Progress, backoff and keys: the pure rules of the engine."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.crc import key_slot

from loresmith.jobs import keys, progress
from loresmith.jobs.keys import QueueKeys


@given(st.floats(-1, 2))
def test_measured_progress_stays_within_its_band(fraction: float) -> None:
    assert 20 <= progress.measured(fraction) <= 79


def test_simulated_progress_makes_one_step_each_half_second_of_thirty() -> None:
    shown = [progress.simulated(tick * 0.5, 30.0) for tick in range(120)]
    assert shown[:3] == [20, 21, 22]
    assert shown[59:] == [79] * 61
    assert shown == sorted(shown)


@given(st.uuids().map(str))
def test_all_keys_of_a_job_share_a_slot(job_id: str) -> None:
    made = (keys.document, keys.submitted, keys.items, keys.lease, keys.cancel)
    assert len({key_slot(make(job_id).encode()) for make in made}) == 1


def test_all_keys_of_a_queue_share_a_slot() -> None:
    queue = QueueKeys("default")
    made = [*queue.streams, queue.scheduled, queue.open, queue.ended, queue.paused, queue.sweep, queue.cursor]
    assert len({key_slot(key.encode()) for key in made}) == 1


@pytest.mark.parametrize("name", ["", "Default", "a}b", "a b", "x" * 65])
def test_a_queue_name_that_could_cut_a_hash_tag_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="queue name"):
        QueueKeys(name)


@given(st.text())
def test_an_owner_enters_keys_as_a_digest(owner: str) -> None:
    assert keys.owned(owner).startswith("jobs:{")
    assert len(keys.owned(owner)) == len("jobs:{}") + 32


@pytest.mark.parametrize(
    "text", ["", "x", "{6f9619ff-8b86-4011-b42d-00c04fc964ff}", "6f9619ff8b864011b42d00c04fc964ff"]
)
def test_only_the_canonical_form_of_a_uuid_is_an_id(text: str) -> None:
    assert keys.parse_job_id(text) is None
