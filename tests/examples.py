"""How many examples Hypothesis draws: all in the whole suite, a share of them in the fast part."""

from __future__ import annotations

from typing import Any

from hypothesis import settings

ALL, SHARE = 100, 20
_FEWEST = 5


def examples(count: int, **others: Any) -> settings:
    """Return settings for a test that draws `count` examples in the whole suite."""
    drawn = count * settings().max_examples // ALL
    return settings(max_examples=min(count, max(drawn, _FEWEST)), **others)
