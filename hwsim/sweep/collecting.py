"""Fewer garbage collections while a sweep holds many small objects that are no garbage."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

YOUNG = 50_000  # containers made since the last collection; Python's own number is 700


@contextmanager
def rare_collections() -> Iterator[None]:
    """Look for cycles seldom, and never among what exists already; as before afterwards.

    Rows, keys and designs of a chunk are tens of thousands of tuples, all in use: looking through them again
    and again takes a fifth of a sweep's time.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(max(before[0], YOUNG) if before[0] else 0, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
