"""Multisets of slots, and what an empty stream keeps."""

from __future__ import annotations

from hwsim.trace.stream import Slots, one_tile


def test_slots_add_up_in_the_order_of_first_occurrence() -> None:
    first, second = Slots.one(1, 2, 3), Slots.one(4, 5, 6)
    assert list((second + first * 2 + second).counts.items()) == [((4, 5, 6), 2), ((1, 2, 3), 2)]
    assert first.counts == {(1, 2, 3): 1}


def test_no_slots_are_an_empty_multiset() -> None:
    assert (Slots.one(1, 2, 3) * 0).counts == {}


def test_a_stream_repeated_never_is_empty_and_still_measures() -> None:
    tile = one_tile((1, 2, 3), Slots.one, Slots({}))
    for count in (0, -1):
        empty = tile.times(2).times(count)
        assert (empty.length, empty.head, empty.tail, empty.total) == (0, (), (), Slots({}))
        assert empty.measure is Slots.one
        assert empty.whole((0, 0, 0)) == Slots({})
