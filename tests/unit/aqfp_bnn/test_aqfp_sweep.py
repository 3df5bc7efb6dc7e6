"""Sweeps over aqfp_bnn: devices are re-priced on one trace, and accuracy stands beside energy."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

import hwsim

WEIGHTS = Path(__file__).parents[3] / "workloads" / "binary" / "digits_mlp_bnn.npz"


def test_devices_are_priced_again_without_lowering(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = import_module("accelerators.aqfp_bnn.lower")
    plain, lowered = module.schedule, list[object]()

    def counting(*arguments: object) -> object:
        lowered.append(arguments)
        return plain(*arguments)

    monkeypatch.setattr(module, "schedule", counting)
    joules = [1e-22 * (1 + index) for index in range(25)]
    space = hwsim.Space(
        chips=["aqfp_bnn"],
        networks=["vgg_small_bnn"],
        knobs={"junction_j": joules, "temperature_k": [4.2, 4.5], "cooling_ratio": [400, 1000]},
    )
    done = hwsim.sweep(space, tmp_path / "devices.db", engine="inprocess")
    energies = {tuple(row.knobs.values()): row.metrics["energy_j"] for row in done.rows()}
    assert len(energies) == 100
    assert len(lowered) == 1
    assert max(energies.values()) == pytest.approx(25 * 1000 / 400 * min(energies.values()))


def test_noise_has_an_optimum_between_majorities_and_chance(tmp_path: Path) -> None:
    space = hwsim.Space(
        chips=["aqfp_bnn"],
        networks=["digits_mlp_bnn"],
        knobs={"crossbar_size": [16], "gray_zone_products_ratio": [1, 8, 64]},
        functional=WEIGHTS,
    )
    narrow, best, wide = hwsim.sweep(space, tmp_path / "digits.db", engine="inprocess").rows()
    reached = best.metrics["misclassification_ratio"]
    assert reached < narrow.metrics["misclassification_low_ratio"]
    assert reached < wide.metrics["misclassification_low_ratio"]
    assert narrow.metrics["energy_j"] == best.metrics["energy_j"] == wide.metrics["energy_j"]
