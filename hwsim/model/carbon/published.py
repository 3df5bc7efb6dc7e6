"""What the four methods give for the examples of their authors, to be held against the published figures."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from hwsim.errors import VerifyError
from hwsim.model.carbon import act, ecochip, greenchip, three_d_carbon
from hwsim.model.carbon.payback import break_even_s
from hwsim.model.carbon.tables import tables_of
from hwsim.model.carbon.types import Die, Footprint

CARBON = "carbon"
FOLDER = Path(__file__).parent
# GreenChip's example of replacing memory: 300 mm2 at the 20 nm entry of its earlier release, 1.95 W less.
_REPLACED_J = 300 * 222453.0
_EXAMPLES = {"always": (1.0, 0.0), "half": (0.5, 0.1), "hardly": (0.01, 0.0)}


@cache
def published_figures() -> Mapping[str, float]:
    """Return the modeled figures behind ``anchors.toml`` beside this file, by name with unit."""
    intensities = tables_of("act")
    taiwan = intensities["intensity_2022_kgco2e_per_j"].entry("taiwan")
    coal = intensities["source_intensity_kgco2e_per_j"].entry("coal")
    processor = act.embodied(Die("28", 6.98e-4), coal, abatement=95, circuits=2)
    memory = act.storage("dram", "ddr3_50nm", 36e9, circuits=18)
    disk = (
        act.storage("ssd", "nand_30nm", 400e9, circuits=0),
        act.storage("dram", "ddr3_50nm", 68e9, circuits=13),
    )
    epyc = three_d_carbon.embodied(Die("14", 211e-6, count=4), taiwan, extra_metal_layers=2)
    figures = {
        **{f"replaced_{name}_s": _replacement_s(*ratios) for name, ratios in _EXAMPLES.items()},
        "logic_kgco2e": _kg(act.embodied(Die("10", 145e-6), taiwan, abatement=95, yield_ratio=0.943543)),
        "processors_kgco2e": 2 * _kg(processor),
        "memories_kgco2e": 12 * _kg(memory),
        "disk_kgco2e": sum(_kg(part) for part in disk),
        "ga102_logic_kgco2e": _kg(ecochip.embodied(Die("7", 425.01e-6))),
        "ga102_analog_kgco2e": _kg(ecochip.embodied(Die("10", 92.03e-6))),
        "epyc_dies_kgco2e": _kg(epyc),
        "epyc_package_kgco2e": _kg(three_d_carbon.package("fcbga", 4410e-6, taiwan)),
    }
    return MappingProxyType(figures)


def _replacement_s(activity: float, sleep: float) -> float:
    old, new = (
        greenchip.system_power_w(
            activity=activity,
            sleep=sleep,
            dynamic_w=75.0,
            static_w=20.0,
            memory_dynamic_w=memory_w,
            memory_static_w=2.0,
        )
        for memory_w in (13.0, 11.05)
    )
    return float(break_even_s(_REPLACED_J, old, new))


def _kg(made: Footprint) -> float:
    if made.carbon is None:
        raise VerifyError(f"{made.method} gives no carbon", where="published_figures")
    return made.carbon.value
