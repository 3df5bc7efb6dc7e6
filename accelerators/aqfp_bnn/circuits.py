"""Circuits of the data path as netlists: full adder, parallel counter, accumulator and comparator."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from accelerators.aqfp_bnn.design import ParallelCounter
from accelerators.aqfp_bnn.netlist import Netlist, NetlistBuilder


def full_adder(build: NetlistBuilder, a: int, b: int, c: int) -> tuple[int, int]:
    """Add three bits; returns (sum, carry): carry = MAJ(a, b, c), sum = MAJ(!carry, MAJ(a, b, !c), c)."""
    carry = build.maj3(a, b, c)
    return build.maj3(carry ^ 1, build.maj3(a, b, c ^ 1), c), carry


def half_adder(build: NetlistBuilder, a: int, b: int) -> tuple[int, int]:
    """Add two bits; returns (sum, carry): sum = (a or b) and not carry."""
    carry = build.and_(a, b)
    return build.and_(build.or_(a, b), carry ^ 1), carry


def count_ones(build: NetlistBuilder, bits: Sequence[int]) -> list[int]:
    """Count with carry-save adders: columns of equal weight shrink by full adders, then one half adder.

    Returns the number as signals, least significant first.
    """
    found = []
    column = deque(bits)
    while column:
        carries: deque[int] = deque()
        while len(column) > 2:
            total, carry = full_adder(build, column.popleft(), column.popleft(), column.popleft())
            column.append(total)
            carries.append(carry)
        if len(column) == 2:
            total, carry = half_adder(build, column.popleft(), column.popleft())
            column.append(total)
            carries.append(carry)
        found.append(column.popleft())
        column = carries
    return found


def adders_of_counter(inputs: int) -> tuple[int, int]:
    """Return full and half adders of an exact counter; 2^k - 1 inputs take n - k full adders."""
    full = half = 0
    while inputs > 1:
        most = (inputs - 1) // 2
        rest = inputs - 2 * most - 1
        full, half, inputs = full + most, half + rest, most + rest
    return full, half


def paired(build: NetlistBuilder, bits: Sequence[int]) -> tuple[list[int], list[int]]:
    """Merge neighbours by OR and AND in turn; returns signals of weight two, and of weight one.

    For independent bits of equal probability the two errors cancel; the counter behind has half the inputs.
    """
    twos = []
    for i in range(0, len(bits) - 1, 2):
        merge = build.or_ if i % 4 == 0 else build.and_
        twos.append(merge(bits[i], bits[i + 1]))
    return twos, list(bits[len(bits) - len(bits) % 2 :])


def count_tiles(build: NetlistBuilder, bits: Sequence[int], counter: ParallelCounter) -> list[int]:
    """Count the bits of all row tiles of a cycle, exactly or with the first adders approximated."""
    if counter is ParallelCounter.EXACT or len(bits) < 2:
        return count_ones(build, bits)
    twos, ones = paired(build, bits)
    high = count_ones(build, twos)
    return [ones[0] if ones else build.constant(False), *high]


def at_least(build: NetlistBuilder, number: Sequence[int], threshold: int) -> int:
    """Compare a number, least significant bit first, with a constant: AND where it has a 1, OR where a 0."""
    if threshold <= 0:
        return build.constant(True)
    if threshold >= 2 ** len(number):
        return build.constant(False)
    found = -1
    for place, bit in enumerate(number):
        wanted = threshold >> place & 1
        if found < 0:
            # Below the lowest 1 of the threshold nothing matters.
            found = bit if wanted else -1
        else:
            found = build.and_(bit, found) if wanted else build.or_(bit, found)
    return found


def accumulate(build: NetlistBuilder, addend: Sequence[int], restart: int, bits: int) -> list[int]:
    """Add a number every cycle to `bits` states; `restart` starts again from the addend.

    Returns the states, that is the sum of all cycles before. The loop of a bit is splitter, OR, AND, OR:
    state' = (state and not restart) xor t with t = addend xor carry, written as
    (state and not restart and not t) or ((not state or restart) and t).
    """
    found, carry = [], -1
    for place in range(bits):
        state = build.state(f"sum[{place}]")
        terms = [signal for signal in (addend[place] if place < len(addend) else -1, carry) if signal >= 0]
        if not terms:
            build.next_state(f"sum[{place}]", build.and_(state, restart ^ 1))
            found.append(build.buffer(state))
            continue
        t = build.xor(*terms) if len(terms) == 2 else terms[0]
        held = build.and_(state, build.and_(restart ^ 1, t ^ 1))
        flipped = build.and_(build.or_(state ^ 1, restart), t)
        build.next_state(f"sum[{place}]", build.or_(held, flipped))
        found.append(build.buffer(state))
        if place < bits - 1:
            kept = build.and_(state, restart ^ 1)
            carry = build.maj3(kept, *terms) if len(terms) == 2 else build.and_(kept, terms[0])
    return found


def full_adder_netlist() -> Netlist:
    """Return a full adder: 34 junctions and 4 phases when balanced."""
    build = NetlistBuilder("full_adder")
    total, carry = full_adder(build, build.input("a"), build.input("b"), build.input("c"))
    build.output("sum", total)
    build.output("carry", carry)
    return build.build()


def xnor_netlist() -> Netlist:
    """Return an XNOR gate: 22 junctions and 3 phases when balanced."""
    build = NetlistBuilder("xnor")
    build.output("y", build.xnor(build.input("a"), build.input("b")))
    return build.build()


def counter_netlist(inputs: int, counter: ParallelCounter = ParallelCounter.EXACT) -> Netlist:
    """Return a parallel counter of `inputs` bits with outputs ``count[0]``, ``count[1]``, ..."""
    build = NetlistBuilder(f"counter{inputs}")
    for place, signal in enumerate(count_tiles(build, build.inputs("x", inputs), counter)):
        build.output(f"count[{place}]", signal)
    return build.build()


def accumulation_netlist(tiles: int, count_bits: int, threshold: int, counter: ParallelCounter) -> Netlist:
    """Return the stochastic accumulation module: counter, accumulator and comparator.

    Inputs are ``x[...]``, one bit per row tile, and ``restart``; output ``y`` is 1 if the sum of all cycles
    before reaches `threshold`.
    """
    build = NetlistBuilder(f"accumulation{tiles}")
    bits = build.inputs("x", tiles)
    restart = build.input("restart")
    states = accumulate(build, count_tiles(build, bits, counter), restart, count_bits)
    build.output("y", at_least(build, states, threshold))
    return build.build()


def multiplier_netlist(width: int) -> Netlist:
    """Return an array multiplier of two `width`-bit numbers, the largest circuit to balance in benchmarks."""
    build = NetlistBuilder(f"multiplier{width}")
    a, b = build.inputs("a", width), build.inputs("b", width)
    row = [build.and_(bit, b[0]) for bit in a]
    result = [row.pop(0)]
    for factor in b[1:]:
        added, carry = [], -1
        for place, bit in enumerate(a):
            terms = [build.and_(bit, factor), *row[place : place + 1], *([carry] if carry >= 0 else [])]
            if len(terms) == 3:
                total, carry = full_adder(build, *terms)
            elif len(terms) == 2:
                total, carry = half_adder(build, *terms)
            else:
                total, carry = terms[0], -1
            added.append(total)
        row = [*added, *([carry] if carry >= 0 else [])]
        result.append(row.pop(0))
    for place, signal in enumerate([*result, *row]):
        build.output(f"p[{place}]", signal)
    return build.build()


def buffer_chain_netlist() -> Netlist:
    """Return one stored bit: a loop with a gate that rewrites it, for the simulation of buffer chains."""
    build = NetlistBuilder("stored_bit")
    state, write, data = build.state("bit"), build.input("write"), build.input("data")
    build.next_state("bit", build.or_(build.and_(state, write ^ 1), build.and_(data, write)))
    build.output("read", state)
    return build.build()
