"""Physical quantities name their unit (docs/conventions.md); numbers without unit say what they count."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from hwsim.constants import load_constants
from hwsim.units import suffix_of
from tests.house.tree import PACKAGES, ROOT, files, python_files, syntax

# Pure numbers by their meaning: shares, ratios and multipliers. They need no `_ratio`.
PURE = frozenset(
    {"density", "probability", "utilization", "share", "gap", "ratios", "width", "tolerance", "activity"}
)
# Quantities in a whole number of nothing but a unit: these words never stand alone.
PHYSICAL = frozenset(
    {
        "energy",
        "power",
        "latency",
        "delay",
        "bandwidth",
        "frequency",
        "voltage",
        "area",
        "capacity",
        "memory",
        "joules",
        "watts",
    }
)
# Whose unit is not in the name, and why that is right.
CARRIED = {
    "hwsim.sourced.Sourced.value": "the field beside it is the dimension",
    "hwsim.anchors.AnchorResult.published": "the field beside it is the unit",
    "hwsim.anchors.AnchorResult.modeled": "the field beside it is the unit",
    "hwsim.report.types.Report.roofline": "a mapping whose keys name their units",
    "hwsim.report.types.Report.figures": "a mapping whose keys name their units",
    "hwsim.schedule.ilp_solver.IlpResult.values": "a mapping from the variables of an integer program",
    "hwsim.report.pictures.bars.Bars.parts": "heights of whatever quantity the chart shows",
    "hwsim.report.comparison_table.SheetRow.values": "the field beside it is the unit",
    "hwsim.report.pictures.front.FrontAxis.values": "the metric beside it states the unit",
    "hwsim.model.types.RatePoint.setting": "a mapping whose keys name their units",
    "accelerators.min_sum_decoder.inputs.Run.ebn0_db": "decibel, which is no SI unit, as its name says",
    "hwsim.sweep.axes.Axis.low": "the knob's name states the unit",
    "hwsim.sweep.axes.Axis.high": "the knob's name states the unit",
    **dict.fromkeys(
        (
            "hwsim.model.sampling.Sampling.ground_energy",
            "hwsim.model.sampling.Sampling.lowest_energy",
            "accelerators.invertible_logic.gates.Gate.ground_energy",
            "accelerators.invertible_logic.sampling.Ended.lowest_energy",
        ),
        "energy of a Hamiltonian: a whole number of couplings, no joules",
    ),
    "accelerators.aqfp_bnn.matching.Matched.thresholds": "on sums of products of -1 and 1",
    "accelerators.aqfp_bnn.statistics.Decision.mean": "of a count of bits",
    "accelerators.aqfp_bnn.statistics.Decision.variance": "of a count of bits",
    "accelerators.binary_lstm.normalization.BatchNorm.epsilon": "added to a variance of plain numbers",
}
# Names that ought to change; each line goes when its name does.
TO_RENAME = {
    "hwsim.model.prices.Prices.energy": "energy_j",
    "hwsim.model.prices.Prices.energy_per_bit": "energy_j_per_bit",
    "hwsim.report.types.Report.energy_by_evidence": "energy_j_by_evidence",
}


def public_fields() -> Iterator[tuple[str, str, str]]:
    """Yield (module.Class.field, field, annotation) of every public class of the packages."""
    for path in python_files(*PACKAGES):
        module = ".".join(path.with_suffix("").parts).removesuffix(".__init__")
        for found in ast.walk(syntax(path)):
            if isinstance(found, ast.ClassDef) and not found.name.startswith("_"):
                for line in found.body:
                    if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
                        name = line.target.id
                        if not name.startswith("_"):
                            yield f"{module}.{found.name}.{name}", name, ast.unparse(line.annotation)


def is_float(annotation: str) -> bool:
    """Whether a field holds floats: alone, in tuples, mappings or arrays."""
    return re.search(r"\b(float|Floats|float64|Fraction)\b", annotation) is not None


def is_whole(annotation: str) -> bool:
    """Whether a field holds whole numbers."""
    return re.search(r"\b(int|Ints|int64)\b", annotation) is not None and not is_float(annotation)


def stated(name: str) -> str:
    """Return the part of a name that ends in the unit: ``energy_j`` of ``energy_j_by_unit``."""
    return name.split("_by_")[0]


def breaks(name: str, annotation: str) -> bool:
    """Whether a field of this name and type says too little about its unit."""
    if annotation.startswith("Callable["):
        return False  # a function is no quantity
    words, suffix = stated(name).split("_"), suffix_of(stated(name))
    physical = bool(PHYSICAL & set(words))
    if suffix is not None and not (physical and suffix.startswith("per_")):
        return False
    if is_float(annotation):
        return words[-1] not in PURE
    return is_whole(annotation) and physical


def test_fields_name_their_unit() -> None:
    fields = list(public_fields())
    assert len(fields) > 200
    broken = {place for place, name, annotation in fields if breaks(name, annotation)}
    assert broken - CARRIED.keys() - TO_RENAME.keys() == set()


def test_no_exception_outlives_its_field() -> None:
    broken = {place for place, name, annotation in public_fields() if breaks(name, annotation)}
    assert (CARRIED.keys() | TO_RENAME.keys()) - broken == set()


@pytest.mark.parametrize(
    ("name", "annotation", "expected"),
    [
        ("energy", "float", True),
        ("energy_j", "float", False),
        ("energy_j_by_unit", "Mapping[str, float]", False),
        ("clock_mhz", "float", True),
        ("clock_hz", "float", False),
        ("density", "float | None", False),
        ("scratchpad_capacity", "int", True),
        ("scratchpad_bytes", "int", False),
        ("array_rows", "int", False),
        ("delays", "Floats", True),
        ("price", "Sourced", False),
        ("cycles_per_bit", "Fraction", False),
        ("energy_of", "Callable[[Any], float]", False),
        ("energy_per_bit", "float", True),
        ("frames_per_s", "float", False),
    ],
)
def test_the_rule_itself(name: str, annotation: str, expected: bool) -> None:
    assert breaks(name, annotation) is expected


@pytest.mark.parametrize("path", [path for path in files() if path.name.endswith("constants.toml")], ids=str)
def test_constants_load_and_end_in_a_unit(path: object) -> None:
    constants = load_constants(ROOT / str(path))
    assert len(constants) > 0
    assert [name for name in constants if suffix_of(name) is None] == []
