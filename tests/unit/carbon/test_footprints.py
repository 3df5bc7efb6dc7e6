"""Footprints worked out from the raw tables, with their formulas, parts and notes; and what is refused."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from hwsim.errors import InputError, VerifyError
from hwsim.model.carbon import (
    METHODS,
    Die,
    Footprint,
    act,
    ecochip,
    embodied,
    greenchip,
    three_d_carbon,
    total,
)
from hwsim.model.carbon.published import _kg, _replacement_s, published_figures
from hwsim.model.carbon.tables import Table, tables_of
from hwsim.sourced import Kind, Sourced, chosen

GRID = chosen(1e-7, "_kgco2e_per_j", "grid")
STACKS = Die("28", 1e-4, count=2, layers=3)
SILICON_PER_CM2 = 0.9 * 3.6e6 * 1e-7 + (0.175 + 0.1) / 2 + 0.5  # kg at 28 nm: energy, gases, materials


def refusal(call: Callable[[], object]) -> tuple[str, str, str]:
    with pytest.raises(InputError) as caught:
        call()
    (problem,) = caught.value.problems
    return problem.where, problem.reason, problem.hint


def same(number: Sourced | None, value: float, formula: str) -> None:
    assert number is not None
    assert number.value == pytest.approx(value, rel=1e-12)
    assert number.formula == formula


def test_act_logic_is_area_and_packages() -> None:
    made = act.embodied(Die("28", 1e-4, "dram", 2, 3), GRID, circuits=2)
    area, per_area = (
        "(die.area_m2 * 6)",
        (
            "(act.energy_per_area_28_j_per_m2 * grid + (act.gas_95_28_kgco2e_per_m2 + "
            "act.gas_99_28_kgco2e_per_m2) / 2 + act.material_28_kgco2e_per_m2) / yield"
        ),
    )
    packages = "act.packaging_circuit_kgco2e * 2"
    assert (made.method, made.table_version) == ("act", "ACT@abc9fbb")
    same(made.energy, 6 * 0.9 * 3.6e6 / 0.875, f"act.energy_per_area_28_j_per_m2 * {area} / yield")
    assert list(made.parts) == ["silicon", "packaging"]
    same(made.parts["silicon"], 6 * SILICON_PER_CM2 / 0.875, f"{per_area} * {area}")
    same(made.parts["packaging"], 0.3, packages)
    same(made.carbon, 6 * SILICON_PER_CM2 / 0.875 + 0.3, f"{per_area} * {area} + {packages}")
    assert made.notes == ("a memory die is costed as logic; ACT prices memories by capacity",)
    logic = act.embodied(STACKS, GRID, abatement=99, yield_ratio=0.5)
    assert logic.notes == ()
    assert logic.parts["packaging"].value == pytest.approx(0.15)
    assert logic.parts["silicon"].value == pytest.approx(6 * (0.324 + 0.1 + 0.5) / 0.5)
    assert act.carbon_per_area("28", GRID).value == pytest.approx(SILICON_PER_CM2 / 0.875 / 1e-4)


def test_act_memories_are_priced_by_capacity() -> None:
    made = act.storage("dram", "ddr3_50nm", 2e9, circuits=3, yield_ratio=0.5)
    device, packages = "act.dram_ddr3_50nm_kgco2e_per_byte * capacity / yield", "act.packaging_circuit_kgco2e"
    assert (made.method, made.table_version, made.energy, made.notes) == ("act", "ACT@abc9fbb", None, ())
    assert list(made.parts) == ["storage", "packaging"]
    same(made.parts["storage"], 2 * 0.6 / 0.5, device)
    same(made.parts["packaging"], 0.45, f"{packages} * 3")
    same(made.carbon, 2.85, f"{device} + {packages} * 3")
    once = act.storage("dram", "ddr3_50nm", 1.0)
    assert once.parts["packaging"].value == pytest.approx(0.15)
    assert once.parts["storage"].value == pytest.approx(0.6e-9 / 0.875)


def test_the_imec_figures_are_area_times_a_table() -> None:
    made = act.imec_netzero(STACKS)
    assert (made.method, made.table_version, made.energy) == ("imec_netzero", "ACT@abc9fbb", None)
    same(made.carbon, 6 * 0.91, "act.imec_netzero_28_kgco2e_per_m2 * die.area_m2 * 6")
    assert made.parts == {"silicon": made.carbon}
    assert made.notes == ("the unit of the table is read as kg per cm^2; its file says 'per wafer'",)


def test_greenchip_is_energy_times_area_and_layers() -> None:
    made = greenchip.embodied(STACKS, GRID)
    formula = "greenchip.logic_energy_28_j_per_m2 * die.area_m2 * 6"
    assert (made.method, made.table_version) == ("greenchip", "Greenchip@3ea3b17")
    same(made.energy, 6 * 33480 * 100, formula)
    same(made.carbon, 6 * 3348e3 * 1e-7, f"{formula} * grid")
    assert made.parts == {"energy": made.carbon}
    assert made.notes == ("no yield, process gases or materials: GreenChip counts energy",)
    memory = greenchip.embodied(Die("12", 1e-4, "dram"))
    same(memory.energy, 4514200.0, "greenchip.dram_energy_12_j_per_m2 * die.area_m2 * 1")
    assert (memory.carbon, memory.parts, memory.notes) == (None, {"energy": memory.energy}, ())
    assert memory.evidence is Kind.REPORTED


def test_ecochip_charges_the_edge_of_the_wafer() -> None:
    tables = tables_of("ecochip")
    diameter = tables["wafer_diameter_m"].entry("wafer").value
    fit = math.pi * diameter * (diameter / 4e-4 - 1 / math.sqrt(2e-4))
    edge = (math.pi * (diameter / 2) ** 2 - math.floor(fit) * 1e-4) / fit
    per_area, working = 14.138e3, (1 + 700 * 1e-4 / 10) ** -10
    made = ecochip.embodied(STACKS)
    assert (made.method, made.table_version, made.energy) == ("ecochip", "ECO-CHIP@fe998d9", None)
    assert list(made.parts) == ["silicon", "wafer edge"]
    rate = "ecochip.carbon_per_area_28_kgco2e_per_m2"
    share = "(1 + ecochip.defects_28_count_per_m2 * die.area_m2 / 10) ** -10"
    same(made.parts["silicon"], 6 * per_area * 1e-4 / working, f"{rate} * die.area_m2 / {share} * 6")
    same(made.parts["wafer edge"], 6 * per_area * edge, f"{rate} * wasted_area_per_die * 6")
    assert made.carbon is not None
    assert made.carbon.value == pytest.approx(sum(part.value for part in made.parts.values()))
    assert made.notes == ("the carbon intensity of the fab is inside its table",)
    same(ecochip.area_at(2e-6, "sram", "28"), 2e-6 * 4.336198, "ecochip.sram_area_28_ratio * area_at_7nm")


def test_three_d_carbon_adds_metal_layers_and_bonding() -> None:
    made = three_d_carbon.embodied(
        Die("14", 1e-4, count=2, layers=3), GRID, extra_metal_layers=2, bonding="monolithic"
    )
    diameter = tables_of("three_d_carbon")["wafer_diameter_m"].entry("wafer").value
    fit = int(math.pi * diameter * (diameter / 4e-4 - 1 / math.sqrt(2e-4)))
    working = (1 + 0.001 * 100 / 10) ** -10
    silicon = math.pi * diameter**2 / 4 / fit / working * 6 / 0.93**2
    energy, gases, materials = silicon * (1.2 + 2 * 0.05) * 3.6e10, silicon * 1250, silicon * 5000
    assert (made.method, made.table_version, made.notes) == ("three_d_carbon", "3D-Carbon@14e1a7f", ())
    assert list(made.parts) == ["energy", "gases", "materials"]
    found = {name: part.value for name, part in made.parts.items()}
    assert found == pytest.approx({"energy": energy * 1e-7, "gases": gases, "materials": materials}, rel=1e-9)
    assert made.energy is not None
    assert made.energy.value == pytest.approx(energy)
    assert made.energy.formula == (
        "wafer_area_per_die / (1 + three_d_carbon.defects_14_count_per_m2 * die.area_m2 / "
        "three_d_carbon.clustering_die_ratio) ** -10 * 6 / "
        "three_d_carbon.bonding_yield_monolithic_ratio ** 2 * "
        "(three_d_carbon.energy_per_area_14_j_per_m2 + three_d_carbon.metal_layer_energy_14_j_per_m2 * 2)"
    )
    assert made.carbon is not None
    assert made.carbon.value == pytest.approx(sum(found.values()))
    flat = three_d_carbon.embodied(Die("14", 1e-4), GRID)
    assert flat.parts["gases"].value == pytest.approx(gases / 6 * 0.93**2)
    assert flat.parts["energy"].value == pytest.approx(energy * 1e-7 / 6 * 0.93**2 * 1.2 / 1.3)
    pair = three_d_carbon.embodied(Die("14", 1e-4, layers=2), GRID, bonding="monolithic")
    assert pair.parts["gases"].value == pytest.approx(gases / 3 * 0.93)


def test_a_package_is_paid_by_its_area() -> None:
    made = three_d_carbon.package("fcbga", 1e-4, GRID)
    formula = "three_d_carbon.package_energy_fcbga_j_per_m2 * package.area_m2"
    assert (made.method, made.table_version, made.notes) == ("three_d_carbon", "3D-Carbon@14e1a7f", ())
    same(made.energy, 100 * 0.00135 * 3.6e6, formula)
    same(made.carbon, 0.0486, f"{formula} * grid")
    assert made.parts == {"package": made.carbon}


def test_one_door_to_all_methods() -> None:
    die, stack = Die("28", 1e-4, count=2), Die("28", 1e-4, layers=2)
    allowed = "greenchip.dram_energy_j_per_m2.28"
    assert embodied(die, "act", GRID) == act.embodied(die, GRID, circuits=2)
    assert embodied(die, "ecochip", GRID) == ecochip.embodied(die)
    assert embodied(die, "greenchip", GRID) == greenchip.embodied(die, GRID)
    memory = Die("28", 1e-4, "dram")
    assert embodied(memory, "greenchip", GRID, allow=[allowed]) == greenchip.embodied(memory, GRID, [allowed])
    assert embodied(die, "three_d_carbon", GRID) == three_d_carbon.embodied(die, GRID)
    glued = three_d_carbon.embodied(stack, GRID, bonding="hybrid_die_to_wafer")
    assert embodied(stack, "three_d_carbon", GRID) == glued
    assert refusal(lambda: embodied(die, "atc", GRID)) == (
        "method",
        "unknown method 'atc'",
        "did you mean 'act'?",
    )


def test_power_of_a_system_is_shared_out_by_time() -> None:
    """80 W busy and 20 W waiting, half the time busy, a quarter asleep at 0.2 W."""
    plain = greenchip.system_power_w(activity=0.5, sleep=0.25, dynamic_w=60.0, static_w=20.0)
    assert plain == pytest.approx(0.75 * (0.5 * 80 + 0.5 * 20) + 0.25 * 0.2)
    memory = greenchip.system_power_w(
        activity=0.5,
        sleep=0.25,
        dynamic_w=60.0,
        static_w=20.0,
        memory_dynamic_w=8.0,
        memory_static_w=3.0,
        slowdown=0.5,
    )
    assert memory == pytest.approx(0.75 * (0.25 * 88 + 0.75 * 20) + 3.0)
    none = greenchip.system_power_w(
        activity=1.0, sleep=0.0, dynamic_w=60.0, static_w=20.0, memory_dynamic_w=8.0
    )
    assert none == pytest.approx(88.0)
    with pytest.raises(InputError) as caught:
        greenchip.system_power_w(activity=-0.1, sleep=math.nan, dynamic_w=1.0, static_w=1.0, slowdown=1.1)
    assert [(p.where, p.reason, p.hint) for p in caught.value.problems] == [
        (name, f"{value} is not a share of time", "from 0 to 1")
        for name, value in (("activity", "-0.1"), ("sleep", "nan"), ("slowdown", "1.1"))
    ]


def test_a_grid_is_a_mix_of_sources() -> None:
    mix = greenchip.grid_intensity({"coal": 0.25, "wind": 0.75})
    formula = "greenchip.source_intensity_coal_kgco2e_per_j * 0.25"
    same(
        mix,
        (0.25 * 980 + 0.75 * 11) / 3.6e9,
        f"{formula} + greenchip.source_intensity_wind_kgco2e_per_j * 0.75",
    )
    pure = greenchip.grid_intensity({"coal": 1.0, "wind": 0.0})
    assert pure.value == pytest.approx(980 / 3.6e9)
    with pytest.raises(InputError) as caught:
        greenchip.grid_intensity({"cole": 1.0, "wind": 1.5, "coal": -0.1})
    assert [(p.where, p.reason, p.hint) for p in caught.value.problems] == [
        ("grid.cole", "no such source", "did you mean 'coal'?"),
        ("grid.wind", "1.5 is not a share", "from 0 to 1"),
        ("grid.coal", "-0.1 is not a share", "from 0 to 1"),
    ]
    assert refusal(lambda: greenchip.grid_intensity({"coal": 0.9})) == (
        "grid",
        "the shares add up to 0.9, not to 1",
        "",
    )


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (
            lambda: act.storage("tape", "lto", 1.0),
            ("storage.kind", "unknown storage 'tape'", "dram, ssd, hdd"),
        ),
        (
            lambda: act.storage("ssd", "nand_30nm", 0.0),
            ("storage.capacity_bytes", "0.0 is not a capacity", ""),
        ),
        (
            lambda: act.storage("ssd", "nand_30nm", 1e9, circuits=-1),
            ("circuits", "-1 is not a number of circuits", ""),
        ),
        (
            lambda: act.embodied(STACKS, GRID, circuits=True),
            ("circuits", "True is not a number of circuits", ""),
        ),
        (
            lambda: act.embodied(STACKS, GRID, circuits=1.0),  # type: ignore[arg-type]
            ("circuits", "1.0 is not a number of circuits", ""),
        ),
        (
            lambda: act.carbon_per_area("28", GRID, abatement=96),
            ("abatement", "no gas emissions at 96 % abatement", "95, 97 or 99"),
        ),
        (
            lambda: ecochip.area_at(1.0, "sarm", "28"),
            ("design", "unknown kind of circuit 'sarm'", "did you mean 'sram'?"),
        ),
        (
            lambda: three_d_carbon.embodied(STACKS, GRID),
            (
                "bonding",
                "3 layers, but nothing says how they are joined",
                "microbump_wafer_to_wafer, microbump_die_to_wafer, hybrid_wafer_to_wafer, "
                "hybrid_die_to_wafer, monolithic",
            ),
        ),
        (
            lambda: three_d_carbon.embodied(STACKS, GRID, extra_metal_layers=-1),
            ("extra_metal_layers", "-1 is not a number of layers", ""),
        ),
        (
            lambda: three_d_carbon.embodied(STACKS, GRID, extra_metal_layers=0.5),  # type: ignore[arg-type]
            ("extra_metal_layers", "0.5 is not a number of layers", ""),
        ),
        (
            lambda: three_d_carbon.package("fcbga", 0.0, GRID),
            ("package.area_m2", "0.0 is not an area", ""),
        ),
        (
            lambda: greenchip.embodied(Die("27", 1e-4)),
            (
                "greenchip.logic_energy_j_per_m2",
                "greenchip has no '27'; it is not interpolated",
                "known: 10, 12, 130, 14, 180, 20, 250, 28, 3, 30, 32, 350, ...; "
                "it has 3, 5, 6, 7_euv, 7_193i, 8_euv, 8_193i, 10, 12, 14, 20, 28, 30, 32, 45, 65, 90, "
                "130, 180, 250, 350",
            ),
        ),
    ],
)
def test_refusals_name_field_value_and_remedy(call: Callable[[], object], told: tuple[str, str, str]) -> None:
    assert refusal(call) == told


def test_a_suspicious_entry_says_why_and_how_to_use_it_all_the_same() -> None:
    table = Table("mine", "x_j", "1", {"a": GRID, "b": GRID}, {"a": "ten times too large"})
    assert table.entry("b") is table.entry("a", ("mine.x_j.a",)) is GRID
    assert refusal(lambda: table.entry("a", ("mine.x_j.b",))) == (
        "mine.x_j",
        "the entry 'a' is suspicious: ten times too large",
        "choose another node, or allow it by name: mine.x_j.a",
    )


def test_a_sum_knows_only_what_all_of_its_parts_know() -> None:
    made = greenchip.embodied(STACKS, GRID)
    twice = total([made, made])
    assert twice.energy is not None
    assert made.energy is not None
    assert twice.energy.value == 2 * made.energy.value
    assert list(twice.parts) == ["energy"]
    assert twice.parts["energy"].value == pytest.approx(2 * made.parts["energy"].value)
    assert (twice.method, twice.table_version, twice.notes) == (made.method, made.table_version, made.notes)
    assert total([made]) == made
    partly = total([Footprint("m", "1", made.energy, None), Footprint("m", "1", made.energy, made.carbon)])
    assert partly.carbon is None
    assert partly.energy is not None
    no_energy = total([act.storage("ssd", "nand_30nm", 1e9), act.embodied(STACKS, GRID)])
    assert no_energy.energy is None
    assert set(no_energy.parts) == {"storage", "packaging", "silicon"}
    assert refusal(lambda: total([])) == ("dies", "no die to add up", "")
    older = Footprint("greenchip", "older", None, None)
    assert refusal(lambda: total([made, older])) == (
        "method",
        "greenchip (Greenchip@3ea3b17) and greenchip (older) do not add up",
        "use one method and one version for all dies",
    )


def test_figures_behind_the_published_ones() -> None:
    figures = published_figures()
    days = {"always": 396.1057692, "half": 880.2350427, "hardly": 39610.57692}
    assert {name: figures[f"replaced_{name}_s"] / 86400 for name in days} == pytest.approx(days, rel=1e-9)
    assert _replacement_s(1.0, 0.0) == figures["replaced_always_s"]
    # 222.453 kJ per mm2 of 300 mm2, saved at 95 % of half the time and 1.95 W.
    assert _replacement_s(0.5, 0.05) == pytest.approx(300 * 222453 / (0.95 * 0.5 * 1.95), rel=1e-12)
    assert figures["disk_kgco2e"] == pytest.approx(62.75, rel=1e-9)
    assert figures["logic_kgco2e"] == pytest.approx(2.6087022, rel=1e-9)
    with pytest.raises(VerifyError) as caught:
        _kg(greenchip.embodied(STACKS))
    (problem,) = caught.value.problems
    assert (problem.where, problem.reason) == ("published_figures", "greenchip gives no carbon")


def test_every_method_has_its_tables() -> None:
    assert METHODS == ("greenchip", "act", "ecochip", "three_d_carbon")
    for method in METHODS:
        for name, table in tables_of(method).items():
            assert (table.method, table.name) == (method, name)
            for key, number in table.entries.items():
                (record,) = number.records
                assert key in record.key
