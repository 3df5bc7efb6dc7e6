"""Laws of tile streams: the closed form equals a literal list of slots, however a stream was put together."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hwsim.trace import LoopKind, TraceBuilder, fold, reduce
from hwsim.trace.stream import Slots, Stream, Tile, one_tile, write_slots

IDLE: Tile[int, int, int] = (0, 0, 0)
EMPTY: Slots[int, int, int] = Slots({})

Tiles = list[Tile[int, int, int]]
Plan = tuple[Any, ...]

tiles = st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(0, 3))
plans = st.recursive(
    st.one_of(st.just(("none",)), tiles.map(lambda tile: ("tile", tile))),
    lambda inner: st.one_of(
        st.tuples(st.just("then"), inner, inner), st.tuples(st.just("times"), inner, st.integers(0, 5))
    ),
    max_leaves=8,
)


def cost(load: int, work: int, store: int) -> int:
    """A cost without symmetry, so that a slot put together wrongly shows."""
    return max(7 * load, 5 * work, 11 * store) + 100 * load + 10 * work + store


def written_out(plan: Plan) -> Tiles:
    """Every tile of a plan, one by one."""
    match plan:
        case ("tile", tile):
            return [tile]
        case ("then", first, second):
            return written_out(first) + written_out(second)
        case ("times", inner, count):
            return written_out(inner) * count
    return []


def stream_of(plan: Plan, measure: Any = Slots.one, nothing: Any = EMPTY) -> Stream[int, int, int, Any]:
    match plan:
        case ("tile", tile):
            return one_tile(tile, measure, nothing)
        case ("then", first, second):
            return stream_of(first, measure, nothing).then(stream_of(second, measure, nothing))
        case ("times", inner, count):
            return stream_of(inner, measure, nothing).times(count)
    return Stream(0, (), (), nothing, measure)


def slots_of(sequence: Tiles) -> list[tuple[int, int, int]]:
    """Slot s loads tile s, works on tile s - 1 and stores tile s - 2; idle tiles around."""
    padded = [IDLE, IDLE, *sequence, IDLE, IDLE]
    if not sequence:
        return []
    return [(padded[s][0], padded[s - 1][1], padded[s - 2][2]) for s in range(2, len(padded))]


@given(plans)
def test_slots_equal_the_written_out_sequence(plan: Plan) -> None:
    sequence, stream = written_out(plan), stream_of(plan)
    assert stream.length == len(sequence)
    assert Counter(stream.whole(IDLE).counts) == Counter(slots_of(sequence))


@given(plans)
def test_ends_are_the_first_and_last_two_tiles(plan: Plan) -> None:
    sequence, stream = written_out(plan), stream_of(plan)
    assert list(stream.head) == sequence[:2]
    assert list(stream.tail) == sequence[-2:]


@given(plans)
def test_a_stream_of_t_tiles_takes_t_plus_two_slots(plan: Plan) -> None:
    counts = stream_of(plan).whole(IDLE).counts
    length = len(written_out(plan))
    assert sum(counts.values()) == (length + 2 if length else 0)
    assert all(count > 0 for count in counts.values())


@given(plans)
def test_a_cost_equals_the_cost_of_the_written_out_slots(plan: Plan) -> None:
    total = stream_of(plan, cost, 0).whole(IDLE)
    assert total == sum(cost(*slot) for slot in slots_of(written_out(plan)))


@given(plans, plans, plans)
def test_concatenation_is_associative(a: Plan, b: Plan, c: Plan) -> None:
    one, two, three = (stream_of(plan) for plan in (a, b, c))
    left, right = one.then(two).then(three), one.then(two.then(three))
    assert (left.length, left.head, left.tail) == (right.length, right.head, right.tail)
    assert left.total.counts == right.total.counts


@given(plans, st.integers(0, 4), st.integers(0, 4))
def test_repeating_twice_multiplies(plan: Plan, inner: int, outer: int) -> None:
    twice, once = stream_of(plan).times(inner).times(outer), stream_of(plan).times(inner * outer)
    assert (twice.length, twice.head, twice.tail) == (once.length, once.head, once.tail)
    assert twice.total.counts == once.total.counts


@given(plans, st.integers(1, 4), st.integers(1, 4))
def test_repeats_add_up(plan: Plan, first: int, second: int) -> None:
    stream = stream_of(plan)
    assert (
        stream.times(first).then(stream.times(second)).whole(IDLE).counts
        == stream.times(first + second).whole(IDLE).counts
    )


@given(plans)
def test_loops_of_a_stream_cost_what_its_slots_cost(plan: Plan) -> None:
    """Written as loops, slots take the longest part each, and every event is counted."""
    build = TraceBuilder()

    def write(load: int, work: int, store: int) -> None:
        for unit, cycles in (("load", load), ("work", work), ("store", store)):
            build.event(unit, "run", cycles)

    with build.loop(1, LoopKind.SEQ, node="stream"):
        write_slots(build, stream_of(plan).whole(IDLE), write)
    trace, sequence = build.build(), written_out(plan)
    assert int(fold(trace, trace.rows.count).cycles) == sum(max(slot) for slot in slots_of(sequence))
    for place, unit in enumerate(("load", "work", "store")):
        assert reduce(trace).events_of(unit, "run") == sum(tile[place] for tile in sequence)


@given(tiles, st.integers(3, 10**9))
def test_repeating_costs_the_same_however_often(tile: Tile[int, int, int], count: int) -> None:
    """The multiset stays as small as the number of different slots: at most five for equal tiles."""
    whole = stream_of(("tile", tile)).times(count).whole(IDLE)
    assert sum(whole.counts.values()) == count + 2
    assert len(whole.counts) <= 5
    assert whole.counts[tile] == count - 2 + (tile[2] == 0)


def test_random_long_sequences() -> None:
    rng = np.random.default_rng(7)
    for _ in range(50):
        runs = [(tuple(rng.integers(1, 4, 3).tolist()), int(rng.integers(1, 40))) for _ in range(10)]
        stream, sequence = stream_of(("none",)), []
        for tile, count in runs:
            stream = stream.then(one_tile(tile, Slots.one, EMPTY).times(count))
            sequence += [tile] * count
        repeats = int(rng.integers(1, 5))
        assert Counter(stream.times(repeats).whole(IDLE).counts) == Counter(slots_of(sequence * repeats))
