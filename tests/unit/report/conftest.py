from __future__ import annotations

import pytest
from synthetic_report import make_report

from hwsim.report.types import Report


@pytest.fixture(scope="session")
def report() -> Report:
    return make_report()


@pytest.fixture(scope="session")
def reports() -> tuple[Report, Report]:
    return make_report(), make_report(preset="edge_32", scale=8)
