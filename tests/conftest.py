"""Settings shared by all tests: Hypothesis draws the same examples on every run, without deadlines.

Mutation testing takes fewer examples and does not look for the smallest that fails.
"""

from __future__ import annotations

from hypothesis import Phase, settings

settings.register_profile("house", deadline=None, derandomize=True, max_examples=100)
settings.register_profile(
    "mutation",
    deadline=None,
    derandomize=True,
    max_examples=25,
    database=None,
    phases=(Phase.explicit, Phase.generate),
)
settings.load_profile("house")
