"""A worker process that hangs, dies or finds another model where the knob `array_rows` says so."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

from hwsim.sweep import evaluation, worker
from hwsim.sweep.evaluation import Measured

DIES, HANGS = 13, 17
_real = evaluation.evaluate_designs


def faulty(families: Any, designs: Any) -> Measured:
    """Do as `evaluate_designs`, for most designs."""
    rows = {design.array_rows for design in designs}
    if DIES in rows:
        os._exit(3)
    if HANGS in rows:
        time.sleep(60)
    return _real(families, designs)


if __name__ == "__main__":
    evaluation.evaluate_designs = faulty
    if sys.argv[1:] == ["foreign"]:
        evaluation.model_version = lambda accelerator: "another"
    if sys.argv[1:] == ["stillborn"]:
        sys.exit(7)
    worker.main()
