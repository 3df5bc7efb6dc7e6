"""Settings shared by all tests: Hypothesis draws the same examples on every run, without deadlines."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("house", deadline=None, derandomize=True, max_examples=100)
settings.load_profile("house")
