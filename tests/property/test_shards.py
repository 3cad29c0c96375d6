"""Taking from shards, putting into them and making them even: units are conserved, and nothing goes below zero."""

from hypothesis import given
from hypothesis import strategies as st

from tillflow.contexts.stock.allocation import even_out, put, take, total
from tillflow.contexts.stock.rules import Level, Line, Variant

MOST = 5

units = st.lists(st.integers(0, 20), min_size=1, max_size=12)


def variant(shards: int) -> Variant:
    return Variant("v", "A", "A", active=True, expires_at=None, shards=shards, shards_ever=shards)


def levels_of(available: list[int]) -> list[Level]:
    return [Level("v", "w", each, shard=shard) for shard, each in enumerate(available)]


def after(available: list[int], lines: list[Line], sign: int = 1) -> list[int]:
    left = list(available)
    for line in lines:
        left[line.shard] += sign * line.quantity
    return left


@given(units, st.integers(1, 60))
def test_what_is_taken_is_there_and_comes_from_one_shard_where_one_has_it(available: list[int], quantity: int) -> None:
    lines = take(variant(len(available)), levels_of(available), quantity)

    assert bool(lines) == (sum(available) >= quantity)
    if lines:
        assert sum(line.quantity for line in lines) == quantity
        assert min(after(available, lines, -1)) >= 0
        assert len(lines) == 1 or max(available) < quantity


@given(units, st.integers(1, 60))
def test_no_fewer_shards_than_are_taken_from_have_enough(available: list[int], quantity: int) -> None:
    lines = take(variant(len(available)), levels_of(available), quantity)

    assert sum(sorted(available, reverse=True)[: len(lines) - 1]) < quantity


@given(units, st.integers(1, 60), st.integers(1, MOST))
def test_what_is_put_in_goes_to_the_emptiest_and_leaves_those_even(available: list[int], quantity: int, most: int) -> None:
    lines = put(variant(len(available)), levels_of(available), quantity, most)

    assert sum(line.quantity for line in lines) == quantity
    assert all(line.quantity > 0 for line in lines)
    assert len(lines) <= most
    left = after(available, lines)
    filled = [left[line.shard] for line in lines]
    assert max(filled) - min(filled) <= 1
    if most >= len(available):
        assert all(level >= max(filled) - 1 for level in left)


@given(units)
def test_the_first_shard_has_its_part_of_the_first_units(available: list[int]) -> None:
    """Whoever looks for a level in a warehouse looks for its first shard."""
    lines = put(variant(len(available)), levels_of([0] * len(available)), 1, MOST)

    assert [line.shard for line in lines] == [0]


@given(units, st.integers(1, 12))
def test_shards_become_even_and_those_no_longer_used_empty_by_commits_that_conserve(available: list[int], used: int) -> None:
    used = min(used, len(available))
    left = list(available)

    for lines in even_out(variant(used), levels_of(available), MOST):
        assert sum(line.quantity for line in lines) == 0
        assert 2 <= len(lines) <= MOST
        assert len({line.shard for line in lines}) == len(lines)
        assert 1 in (sum(line.quantity > 0 for line in lines), sum(line.quantity < 0 for line in lines))
        left = after(left, lines)
        assert min(left) >= 0

    assert set(left[used:]) <= {0}
    assert max(left[:used]) - min(left[:used]) <= 1
    assert total(levels_of(left)) == sum(available)


@given(units)
def test_what_is_even_is_left_alone(available: list[int]) -> None:
    shards = len(available)
    for lines in even_out(variant(shards), levels_of(available), MOST):
        available = after(available, lines)

    assert list(even_out(variant(shards), levels_of(available), MOST)) == []
