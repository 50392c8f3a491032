"""The training data keep their own rules."""

from training.check_data import problems
from training.examples import find_examples


def test_the_data_are_whole_and_no_line_copies_another() -> None:
    assert problems() == []


def test_examples_are_the_same_for_a_seed_and_leave_a_tenth_out() -> None:
    examples, held_out = find_examples(1), find_examples(1, held_out=True)
    assert examples == find_examples(1)
    assert examples != find_examples(2)
    assert not {each.answer for each in examples} & {each.answer for each in held_out}
    assert 0.07 < len(held_out) / (len(examples) + len(held_out)) < 0.13
