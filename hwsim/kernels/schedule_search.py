"""The inner loops of the level-by-level schedule search, on plain arrays of bit masks.

A state is one row of 64-bit words: executed operators (`op_words` words), resident tensors and
tensors with a DRAM copy (`tensor_words` words each). `g` is the traffic so far in blocks, `f` is g
plus the sizes of the live tensors that are not resident: each must come back at least once.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hwsim.kernels.bit_masks import (
    BYTE,
    ONE,
    Ints,
    Words,
    clear_bit,
    covers,
    has_bit,
    hash_words,
    meets,
    same_words,
    set_bit,
    weigh,
)
from hwsim.kernels.compiling import compiled
from hwsim.kernels.schedule_promise import promise, survey

Flags = NDArray[np.bool_]


class Tables(NamedTuple):
    """A problem as arrays; sizes in blocks, masks as rows of words.

    Columns
    -------
    before : (operators, op_words)        operators that must run earlier, twins included
    in_start, in_list                     inputs of operator v: in_list[in_start[v]:in_start[v + 1]]
    out_start, out_list                   outputs of operator v, likewise
    consumers : (tensors, op_words)       operators that read a tensor
    born_clean : (tensors,)               a DRAM copy exists from the start
    is_source : (tensors,)                no operator produces it: its first load is free
    size : (tensors,)                     blocks
    need : (operators,)                   blocks of the working set
    by_size : (tensors of size > 0,)      largest first
    byte_weight : (8 tensor_words, 256)   sum of the sizes of the tensors in one byte of a mask
    by_rank : (references, operators)     reference orders
    rank : (references, operators)        rank of operator v in each of them
    suffix : (references, operators + 1)  traffic that the operators from a rank on cause at least, blocks
    discount : (operators,)               blocks by which an operator that ran early lowers those bounds
    pinned : (tensor_words,)              tensors that are never evicted when the order is free
    """

    before: Words
    in_start: Ints
    in_list: Ints
    out_start: Ints
    out_list: Ints
    consumers: Words
    born_clean: Flags
    is_source: Flags
    size: Ints
    need: Ints
    by_size: Ints
    byte_weight: Ints
    by_rank: Ints
    rank: Ints
    suffix: Ints
    discount: Ints
    pinned: Words


class States(NamedTuple):
    """States of one level, one row each: masks, g, f, index of the parent in its level, operator that ran."""

    rows: Words
    g: Ints
    f: Ints
    parent: Ints
    op: Ints


class Sink(NamedTuple):
    """Where children go: the states, their hash table (-1 is empty), and counters.

    `counter` holds the number of children (-1: they do not fit) and the smallest f that was cut off.
    """

    states: States
    slots: Ints
    counter: Ints


@compiled
def insert(row: Words, g: int, f: int, parent: int, op: int, sink: Sink) -> None:
    """Add a state or lower the cost of an equal one."""
    count = sink.counter[0]
    if count < 0:
        return
    states = sink.states
    mask = sink.slots.shape[0] - 1
    at = hash_words(row) & mask
    while sink.slots[at] >= 0:
        other = sink.slots[at]
        if same_words(states.rows[other], row):
            if g < states.g[other]:
                states.g[other], states.f[other] = g, f
                states.parent[other], states.op[other] = parent, op
            return
        at = (at + 1) & mask
    if count == states.rows.shape[0]:
        sink.counter[0] = -1
        return
    sink.slots[at] = count
    for w in range(row.shape[0]):
        states.rows[count, w] = row[w]
    states.g[count], states.f[count] = g, f
    states.parent[count], states.op[count] = parent, op
    sink.counter[0] = count + 1


@compiled
def finish(executed: Words, resident: Words, copied: Words, v: int, tables: Tables) -> None:
    """Mark v as executed: its outputs appear, tensors without further use vanish."""
    set_bit(executed, v)
    for k in range(tables.out_start[v], tables.out_start[v + 1]):
        t = tables.out_list[k]
        if not covers(executed, tables.consumers[t]):
            set_bit(resident, t)
            if tables.born_clean[t]:
                set_bit(copied, t)
    for k in range(tables.in_start[v], tables.in_start[v + 1]):
        t = tables.in_list[k]
        if covers(executed, tables.consumers[t]):
            clear_bit(resident, t)
            clear_bit(copied, t)


@compiled
def dies_with(executed: Words, t: int, v: int, tables: Tables) -> bool:
    """Tell whether v is the only operator left that reads tensor t."""
    left = np.uint64(0)
    for w in range(executed.shape[0]):
        rest = tables.consumers[t, w] & ~executed[w]
        if w == v >> 6:
            rest &= ~(ONE << np.uint64(v & 63))
        left |= rest
    return bool(left == np.uint64(0))


@compiled
def harmless(executed: Words, resident: Words, copied: Words, v: int, budget: int, used: int,
             tables: Tables) -> bool:
    """Tell whether running ready operator v at once can never be worse than running it later.

    All operands are resident, nothing must leave, and what v adds is no larger and no dearer to evict
    than any operand that dies with it: any later schedule can carry the result instead of the operands.
    A result that may not be evicted only replaces such operands.
    """
    inputs = 0
    for k in range(tables.in_start[v], tables.in_start[v + 1]):
        if not has_bit(resident, tables.in_list[k]):
            return False
        inputs += tables.size[tables.in_list[k]]
    if used - inputs + tables.need[v] > budget:
        return False
    born, price, living, stays = 0, 0, 0, False
    for k in range(tables.out_start[v], tables.out_start[v + 1]):
        t = tables.out_list[k]
        if not covers(executed, tables.consumers[t]):
            living += 1
            stays = has_bit(tables.pinned, t)
            born += tables.size[t]
            price += tables.size[t] if tables.born_clean[t] else 2 * tables.size[t]
    if living != 1:
        return living == 0
    died = 0
    for k in range(tables.in_start[v], tables.in_start[v + 1]):
        t = tables.in_list[k]
        if tables.size[t] > 0 and dies_with(executed, t, v, tables):
            if stays and not has_bit(tables.pinned, t):
                return False
            died += tables.size[t]
            if price > (tables.size[t] if has_bit(copied, t) else 2 * tables.size[t]):
                return False
    return died >= born


@compiled
def evict(child: Words, kept: Words, copied: Words, deficit: int, g: int, f: int, cutoff: int, future: int,
          parent: int, v: int, span: tuple[int, int], tables: Tables, sink: Sink) -> None:
    """Insert one child per inclusion-minimal set of kept tensors that frees at least `deficit` blocks.

    Tensors are taken largest first and a set ends as soon as it suffices, so that its last and
    smallest member is always necessary: every minimal set is met exactly once.
    """
    resident = child[span[0]:span[1]]
    clean = child[span[1]:]
    count = 0
    candidates = np.empty(tables.by_size.shape[0], np.int64)
    for t in tables.by_size:
        if has_bit(kept, t):
            candidates[count] = t
            count += 1
    left = np.empty(count + 1, np.int64)
    left[count] = 0
    for k in range(count - 1, -1, -1):
        left[k] = left[k + 1] + tables.size[candidates[k]]
    chosen = np.empty(count + 1, np.int64)
    depth, at, freed, rise, spilled = 0, 0, 0, 0, 0
    while True:
        if freed >= deficit:
            insert(child, g + spilled, f + rise, parent, v, sink)
        elif at < count and freed + left[at] >= deficit:
            t = candidates[at]
            size = tables.size[t]
            cost = size if has_bit(copied, t) else 2 * size
            if f + rise + cost + future < cutoff:
                clear_bit(resident, t)
                set_bit(clean, t)
                chosen[depth] = at
                depth += 1
                freed, rise, spilled = freed + size, rise + cost, spilled + cost - size
            else:
                sink.counter[1] = min(sink.counter[1], f + rise + cost + future)
            at += 1
            continue
        if depth == 0 or sink.counter[0] < 0:
            return
        depth -= 1
        at = chosen[depth]
        t = candidates[at]
        size = tables.size[t]
        cost = size
        set_bit(resident, t)
        if not has_bit(copied, t):
            clear_bit(clean, t)
            cost = 2 * size
        freed, rise, spilled = freed - size, rise - cost, spilled - cost + size
        at += 1


@compiled
def run(row: Words, g: int, f: int, future: int, parent: int, v: int, budget: int, cutoff: int, used: int,
        span: tuple[int, int], child: Words, kept: Words, pinned: Words, tables: Tables, sink: Sink) -> None:
    """Insert the children of one state in which operator v runs next; `future` is added to f as a bound."""
    if f + future >= cutoff:
        sink.counter[1] = min(sink.counter[1], f + future)
        return
    executed, resident, copied = row[:span[0]], row[span[0]:span[1]], row[span[1]:]
    for w in range(row.shape[0]):
        child[w] = row[w]
    for w in range(resident.shape[0]):
        kept[w] = resident[w] & ~pinned[w]
    loose = used
    for k in range(tables.in_start[v], tables.in_start[v + 1]):
        t = tables.in_list[k]
        if has_bit(resident, t):
            loose -= tables.size[t]
            clear_bit(kept, t)
            continue
        set_bit(child[span[0]:span[1]], t)
        if tables.is_source[t] and not meets(executed, tables.consumers[t]):
            set_bit(child[span[1]:], t)
        else:
            g += tables.size[t]
    finish(child[:span[0]], child[span[0]:span[1]], child[span[1]:], v, tables)
    deficit = loose + tables.need[v] - budget
    if deficit <= 0:
        insert(child, g, f, parent, v, sink)
    else:
        evict(child, kept, copied, deficit, g, f, cutoff, future, parent, v, span, tables, sink)


@compiled
def expand(level: States, first: int, last: int, forced: int, budget: int, cutoff: int, op_words: int,
           tensor_words: int, tables: Tables, sink: Sink) -> None:
    """Run every sensible next operator with every inclusion-minimal eviction set, for some states.

    Parameters
    ----------
    level : States
        One level; states `first` to `last` - 1 are expanded.
    forced : int
        The only operator allowed, -1 for a free order.
    budget, cutoff : int
        Scratchpad blocks; children with f >= cutoff are dropped.
    op_words, tensor_words : int
        Layout of the rows.
    tables, sink
        The problem, and where the children go.
    """
    span = (op_words, op_words + tensor_words)
    child = np.zeros(op_words + 2 * tensor_words, np.uint64)
    kept = np.zeros(tensor_words, np.uint64)
    pinned = np.zeros(tensor_words, np.uint64)
    if forced < 0:
        pinned = tables.pinned
    later = np.zeros(tables.suffix.shape, np.int64)
    earlier = np.zeros(tables.suffix.shape, np.int64)
    for i in range(first, last):
        row = level.rows[i]
        executed, resident, copied = row[:span[0]], row[span[0]:span[1]], row[span[1]:]
        used = weigh(resident, tables.byte_weight)
        low, high = 0, tables.before.shape[0]
        if forced >= 0:
            low, high = forced, forced + 1
        else:
            for v in range(high):
                if (not has_bit(executed, v) and covers(executed, tables.before[v])
                        and harmless(executed, resident, copied, v, budget, used, tables)):
                    low, high = v, v + 1
                    break
        survey(executed, tables.by_rank, tables.suffix, tables.discount, later, earlier)
        for v in range(low, high):
            if forced >= 0 or (not has_bit(executed, v) and covers(executed, tables.before[v])):
                future = promise(v, tables.rank, tables.discount, later, earlier)
                run(row, level.g[i], level.f[i], future, i, v, budget, cutoff, used, span, child, kept,
                    pinned, tables, sink)
        if sink.counter[0] < 0:
            return


@compiled
def chain(rows: Words, ranked: Ints, op_words: int) -> tuple[Ints, Ints]:
    """Group rows by executed set: heads (-1 is empty) and links of lists in the order of `ranked`."""
    count = rows.shape[0]
    size = 1
    while size < 2 * count:
        size *= 2
    head = np.full(size, -1, np.int64)
    link = np.full(count, -1, np.int64)
    for k in range(count - 1, -1, -1):
        i = ranked[k]
        at = hash_words(rows[i, :op_words]) & (size - 1)
        while head[at] >= 0 and not same_words(rows[head[at], :op_words], rows[i, :op_words]):
            at = (at + 1) & (size - 1)
        link[i] = head[at]
        head[at] = i
    return head, link


@compiled
def imitates(a: Words, b: Words, tensor_words: int, byte_weight: Ints, slack: int) -> bool:
    """Tell whether state a can do all that state b can for at most `slack` blocks more.

    It fetches the tensors that only b holds, and spills those of which only b has a copy.
    Both arguments are rows without the executed words.
    """
    for w in range(2 * tensor_words):
        rest = b[w] & ~a[w]
        byte = 8 * (w % tensor_words)
        while rest != np.uint64(0):
            slack -= byte_weight[byte, np.int64(rest & BYTE)]
            rest >>= np.uint64(8)
            byte += 1
        if slack < 0:
            return False
    return True


@compiled
def prune(level: States, ranked: Ints, op_words: int, tensor_words: int, byte_weight: Ints,
          limit: int) -> Flags:
    """Mark the states to keep: none that a cheaper one with the same executed set can imitate.

    `ranked` lists the states by ascending g; each is compared with at most `limit` kept ones.
    """
    rows = level.rows
    keep = np.ones(rows.shape[0], np.bool_)
    head, link = chain(rows, ranked, op_words)
    kept = np.empty(limit, np.int64)
    for first in head:
        count = 0
        b = first
        while b >= 0:
            for j in range(count):
                a = kept[j]
                slack = level.g[b] - level.g[a]
                if imitates(rows[a, op_words:], rows[b, op_words:], tensor_words, byte_weight, slack):
                    keep[b] = False
                    break
            if keep[b] and count < limit:
                kept[count] = b
                count += 1
            b = link[b]
    return keep
