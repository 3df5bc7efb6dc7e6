"""Matrices over GF(2), 64 columns a word."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hwsim.kernels.compiling import compiled

Words = NDArray[np.uint64]
Ints = NDArray[np.int64]

_ONE = np.uint64(1)


@compiled
def eliminate(rows: Words, columns: int) -> Ints:
    """Bring a matrix into reduced echelon form, in place, and return the pivot of each row that is left.

    Parameters
    ----------
    rows : uint64[m, ceil(columns / 64)]
        Column c is bit ``c % 64`` of word ``c // 64``. Pivots are taken from the last column on.
    columns : int
        Columns of the matrix.

    Returns
    -------
    pivots : int64[rank]
        Row i has its pivot in ``pivots[i]``, where all others are 0; rows beyond are zero.
    """
    count, words = rows.shape
    pivots = np.empty(min(count, columns), np.int64)
    rank = 0
    for column in range(columns - 1, -1, -1):
        word, place = column >> 6, np.uint64(column & 63)
        found = rank
        while found < count and not (rows[found, word] >> place) & _ONE:
            found += 1
        if found == count:
            continue
        for w in range(words):
            rows[found, w], rows[rank, w] = rows[rank, w], rows[found, w]
        for row in range(count):
            if row != rank and (rows[row, word] >> place) & _ONE:
                for w in range(words):
                    rows[row, w] ^= rows[rank, w]
        pivots[rank] = column
        rank += 1
        if rank == count:
            break
    return pivots[:rank]
