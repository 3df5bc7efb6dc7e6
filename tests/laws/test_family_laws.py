"""Laws of what families rest on: equal layers merged, folds in compiled code, exact transfers in columns."""

from __future__ import annotations

import copy
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hwsim.kernels.fold_columns import fold_columns
from hwsim.model.prices import transfer_columns
from hwsim.trace import LoopKind, Trace, TraceBuilder, fold, reduce, verify_trace
from hwsim.trace.fold import MANY_ENTRIES, fold_regular
from hwsim.trace.merge import merge_equal, take
from tests.laws.programs import Loop, loops, programs, write


def layered(program: list[Loop], names: list[int]) -> Trace:
    """Write loops as layers, each owned by a node of its own."""
    build = TraceBuilder()
    for place, which in enumerate(names):
        loop = program[which % len(program)]
        with build.loop(1, node=f"n{place}"):
            put(build, loop)
        if which % 3 == 0:
            build.skip(f"n{place}", "zero", which)
    return build.build()


def put(build: TraceBuilder, loop: Loop) -> None:
    with build.loop(int(loop.trip) if not isinstance(loop.trip, list) else 1, loop.kind):
        for part in loop.body:
            if isinstance(part, Loop):
                put(build, part)
            else:
                build.event(part.unit, "work", part.count, bits=part.bits)


@given(st.lists(loops(), min_size=1, max_size=3), st.lists(st.integers(0, 5), max_size=7))
def test_merged_layers_count_and_last_as_long_as_all_of_them(program: list[Loop], names: list[int]) -> None:
    trace = layered(program, names)
    merged = merge_equal(trace)
    verify_trace(merged.trace)
    cycles, expected = (fold(one, one.rows.count).cycles for one in (merged.trace, trace))
    assert int(cycles) == int(expected)
    for unit in trace.units:
        assert reduce(merged.trace).events_of(unit, "work") == reduce(trace).events_of(unit, "work")
    assert sum(merged.trace.skips.values()) == sum(trace.skips.values())
    assert int(merged.times.sum()) <= len(trace.nodes)
    owned = {name for name in trace.nodes if any(trace.nodes[n] == name for n in trace.loops.node if n >= 0)}
    assert int(merged.times.sum()) == len(owned)
    again = merge_equal(merged.trace)
    assert again.trace.loops.parent.size == merged.trace.loops.parent.size


@given(st.lists(loops(), min_size=1, max_size=1), st.integers(1, 5))
def test_one_layer_stands_for_all_its_copies(program: list[Loop], copies: int) -> None:
    merged = merge_equal(layered(program, [0] * copies))
    assert merged.times.tolist() == [copies]


@given(programs(), st.lists(st.integers(1, 4), min_size=1, max_size=3))
def test_the_compiled_fold_equals_the_one_in_columns(program: list[Loop], factors: list[int]) -> None:
    trace = write(program, len(factors), lambda value: [value * factor for factor in factors])
    cycles = np.broadcast_to(trace.rows.count, (len(factors), trace.rows.loop.size))
    shares = trace.loops.kind != LoopKind.SEQ
    for loop, outer in enumerate(trace.loops.parent.tolist()):
        shares[loop] |= outer >= 0 and shares[outer]
    found = fold_columns.plain(  # type: ignore[attr-defined]
        trace.loops.parent, trace.loops.kind, shares, np.atleast_2d(trace.loops.trip), trace.rows.loop,
        trace.rows.unit, np.ascontiguousarray(cycles), len(trace.units),
    )  # fmt: skip
    assert np.array_equal(found, fold_regular(trace, cycles))


@given(
    st.lists(st.one_of(st.integers(0, 2**50), st.integers(0, 4096)), min_size=1, max_size=6),
    st.lists(
        st.one_of(
            st.fractions(min_value=0, max_value=64, max_denominator=2**12),
            st.floats(1e-6, 1e3).map(lambda value: Fraction(repr(value))),
            st.builds(
                lambda a, b: Fraction(repr(a)) / Fraction(repr(b)), st.floats(1, 1e9), st.floats(1e6, 1e12)
            ),
        ),
        min_size=1,
        max_size=4,
    ),
)
def test_transfers_of_many_designs_are_exact(bits: list[int], rates: list[Fraction]) -> None:
    """Also where a product is a whole number, or next to one, or too long for 64 bits."""
    bits = bits + [int(rate.denominator) * 3 for rate in rates if rate.denominator < 2**40]
    found = transfer_columns(np.array([bits], dtype=np.int64), np.array(rates, dtype=object))
    assert found.tolist() == [[-(-b * r.numerator // r.denominator) for b in bits] for r in rates]


@given(programs(), st.lists(st.integers(0, 2), min_size=1, max_size=5))
def test_members_are_taken_in_the_order_asked_for(program: list[Loop], which: list[int]) -> None:
    family = write(program, 3, lambda value: [value, 2 * value, 3 * value])
    chosen = take(merge_equal(copy.copy(family)), np.array(which)).trace
    if chosen.loops.trip.ndim == 2:
        all_cycles = np.broadcast_to(family.rows.count, (3, family.rows.loop.size))
        own = np.broadcast_to(chosen.rows.count, (len(which), chosen.rows.loop.size))
        expected = np.broadcast_to(fold(family, all_cycles).cycles, (3,))[which]
        assert np.broadcast_to(fold(chosen, own).cycles, (len(which),)).tolist() == expected.tolist()


def test_many_entries_are_folded_in_compiled_code() -> None:
    build = TraceBuilder()
    with build.loop(3, node="n"), build.loop(2, LoopKind.PAR):
        build.event("a", "work", 2)
        build.event("b", "work", 5)
    trace = build.build()
    cycles = np.broadcast_to(trace.rows.count, (MANY_ENTRIES, 2))
    assert set(fold(trace, cycles).cycles.tolist()) == {30}
