"""Settings shared by all tests: Hypothesis draws the same examples on every run, without deadlines."""

from __future__ import annotations

import pytest
from hypothesis import settings

from tests.examples import ALL, SHARE

settings.register_profile("house", deadline=None, derandomize=True, max_examples=ALL)
settings.register_profile("quick", deadline=None, derandomize=True, max_examples=SHARE)
settings.load_profile("house")


def pytest_configure(config: pytest.Config) -> None:
    """Draw fewer examples where slow tests are left out; the whole suite draws all of them."""
    if config.getoption("markexpr") == "not slow":
        settings.load_profile("quick")
