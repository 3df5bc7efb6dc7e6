"""What the operators that have not run yet cost at least, read off bounds for the ends of known orders."""

from __future__ import annotations

from hwsim.kernels.bit_masks import Ints, Words, has_bit
from hwsim.kernels.compiling import compiled


@compiled
def survey(executed: Words, by_rank: Ints, suffix: Ints, discount: Ints, later: Ints, earlier: Ints) -> None:
    """Write the best bound of the ends that begin at a rank or later, and at a rank or earlier.

    An end of a reference order costs at least its `suffix` entry less the `discount` of every operator in
    it that ran already: with that much extra traffic, such an operator could run in its place.

    Parameters
    ----------
    executed : (op_words,)
        Operators that ran.
    by_rank, suffix, discount
        Columns of `hwsim.kernels.schedule_search.Tables`.
    later, earlier : (references, operators + 1)
        Results in blocks, by rank.
    """
    count = by_rank.shape[1]
    for k in range(by_rank.shape[0]):
        spent = 0
        earlier[k, count] = 0
        later[k, count] = 0
        for r in range(count - 1, -1, -1):
            v = by_rank[k, r]
            if has_bit(executed, v):
                spent += discount[v]
            earlier[k, r] = suffix[k, r] - spent
            later[k, r] = max(later[k, r + 1], earlier[k, r])
        for r in range(1, count + 1):
            earlier[k, r] = max(earlier[k, r], earlier[k, r - 1])


@compiled
def promise(v: int, rank: Ints, discount: Ints, later: Ints, earlier: Ints) -> int:
    """Return what is left to pay at least, in blocks, when v runs next.

    The operators of an end are a problem of their own whose first loads are free; the fetches that f of a
    state counts are exactly those, so that both bounds add up.
    """
    best = 0
    for k in range(rank.shape[0]):
        r = rank[k, v]
        best = max(best, later[k, r + 1], earlier[k, r] - discount[v])
    return best
