"""What a client knows of a job never goes back, and tells each item once, whatever comes twice, late or not at all."""

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from loresmith.client.knowledge import Knowledge, Update
from tests.client.documents import change, job


def items_of(updates: list[Update]) -> list[Any]:
    return [item for update in updates for item in update.new_items]


def test_a_late_answer_never_turns_the_job_back() -> None:
    known = Knowledge()
    known.take_whole(job(5, progress=60))
    assert known.take_whole(job(4, progress=40)) == []
    assert known.take_change(change(5, progress=50)) == []
    assert known.job is not None
    assert (known.job.seq, known.job.progress) == (5, 60)


def test_nothing_follows_the_end() -> None:
    known = Knowledge()
    known.take_whole(job(5, status="completed", result=["a"]))
    assert known.take_whole(job(6, status="processing")) == []
    assert known.take_item(1, "b") == []
    assert known.take_whole(job(5, status="completed", result=["a"])) == []
    assert known.is_final


def test_the_end_is_believed_even_if_the_server_has_lost_some_of_what_came_before_it() -> None:
    known = Knowledge()
    known.take_whole(job(9))
    assert known.take_whole(job(8, status="completed", result=["a"]))[0].job.done


def test_an_item_that_is_told_twice_is_told_once() -> None:
    known = Knowledge()
    told = known.take_whole(job(1, items=["b"]))
    told += known.take_item(1, "b")  # the same that the whole job had, where it did not say which one it is
    told += known.take_item(0, "a")
    told += known.take_item(0, "a")
    told += known.take_whole(job(4, items=["a", "b", "c"]))
    told += known.take_whole(job(5, status="completed", result=["a", "b", "c"]))
    assert items_of(told) == ["b", "a", "c"]
    assert told[-1].job.result == ["a", "b", "c"]


def test_two_items_of_one_value_are_two() -> None:
    known = Knowledge()
    told = known.take_whole(job(1))
    told += known.take_item(0, {"x": 1})
    told += known.take_item(1, {"x": 1})
    told += known.take_whole(job(4, items=[{"x": 1}, {"x": 1}, {"x": 1}]))
    assert items_of(told) == [{"x": 1}] * 3


def test_items_are_listed_by_their_place() -> None:
    known = Knowledge()
    known.take_whole(job(1))
    for index in (2, 0, 1):
        known.take_item(index, index)
    assert known.job is not None
    assert known.job.items == [0, 1, 2]
    known.take_change(change(2, progress=40))
    assert known.job.items == [0, 1, 2]


def test_a_change_leaves_out_what_stays() -> None:
    known = Knowledge()
    known.take_whole(job(1, links={"self": "/jobs/x"}, queue={"position": 3}))
    known.take_change(change(2, progress=40))
    assert known.job is not None
    assert known.job.document["links"] == {"self": "/jobs/x"}


def test_a_result_that_is_no_list_of_items_is_not_taken_for_one() -> None:
    known = Knowledge()
    told = known.take_whole(job(1))
    told += known.take_item(0, "a paragraph")
    told += known.take_whole(job(2, status="completed", result={"story": "a paragraph"}))
    assert items_of(told) == ["a paragraph"]
    other = Knowledge()
    told = other.take_whole(job(1))
    told += other.take_item(0, "a verse")
    told += other.take_whole(job(2, status="completed", result=[1, 2, 3]))
    assert items_of(told) == ["a verse"]


def test_a_job_that_had_ended_when_it_was_first_read_tells_all_its_items() -> None:
    assert items_of(Knowledge().take_whole(job(9, status="completed", result=["a", "b"]))) == ["a", "b"]
    assert items_of(Knowledge().take_whole(job(9, status="failed", error="no", items=["a"]))) == ["a"]


LIFE: list[tuple[str, Any]] = [
    ("whole", job(1, status="pending", progress=0)),
    ("change", change(2, progress=20)),
    ("item", (1, {"name": "b"})),
    ("change", change(3, progress=40)),
    ("item", (0, {"name": "a"})),
    ("change", change(4, progress=60)),
    ("whole", job(4, progress=60, items=[{"name": "a"}, {"name": "b"}])),
    ("item", (2, {"name": "c"})),
    ("change", change(5, progress=79)),
    ("whole", job(6, status="completed", result=[{"name": "a"}, {"name": "b"}, {"name": "c"}])),
]


@example([0, 7, 6])  # an item, then the job as it was before it
@given(st.lists(st.integers(0, len(LIFE) - 2), max_size=40))
def test_lost_doubled_and_mixed_up_news_end_in_the_same_state(order: list[int]) -> None:
    known = Knowledge()
    told: list[Update] = []
    for at in [*order, len(LIFE) - 1]:
        what, value = LIFE[at]
        match what:
            case "whole":
                told += known.take_whole(value)
            case "change":
                told += known.take_change(value)
            case _:
                told += known.take_item(*value)
    names = [item["name"] for item in items_of(told)]
    assert sorted(names) == ["a", "b", "c"]
    assert told[-1].job.document == LIFE[-1][1]
    seqs = [update.job.seq for update in told]
    assert seqs == sorted(seqs)
    assert sum(update.job.done for update in told) == 1
