"""Placements: never worse than what they start from, exact where they say so; faults; trace files."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelerators.racetrack_memory import ACCELERATOR
from accelerators.racetrack_memory.design import PRESETS, FaultModel, Placement, RacetrackMemoryDesign
from accelerators.racetrack_memory.placement import Places, place
from accelerators.racetrack_memory.reliability import error_per_shift, mean_time_to_failure_s
from hwsim.errors import InputError
from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import Graph, Op
from hwsim.report.console import show_text
from hwsim.run import chip, evaluate, load
from tests.examples import examples

ONE_PORT = PRESETS["rtsim"].model_copy(update={"ports": 1, "clusters": 1})
DATA = Path(__file__).parents[2] / "data" / "traces"


def accesses(words: list[int], count: int) -> Graph:
    b = GraphBuilder("accesses")
    b.output(b.add("memory_accesses", b.state("words", (count,)), name="accesses", words=tuple(words)))
    return b.build()


def shifts(graph: Graph, placement: Placement, design: RacetrackMemoryDesign = ONE_PORT) -> int:
    op, count = graph.ops[0], graph.tensors["words"].elements
    return place(op, count, design, placement).shifts(np.array(op.ints("words")), design).total


@given(st.lists(st.integers(0, 30), min_size=1, max_size=120))
@examples(50)
def test_every_placement_gives_every_word_a_place_of_its_own(words: list[int]) -> None:
    graph = accesses(words, 31)
    design = PRESETS["rtsim"].model_copy(update={"domains": 8, "ports": 2})
    for placement in (Placement.AS_GIVEN, Placement.FIRST_USE, Placement.FREQUENCY, Placement.ARRANGEMENT):
        found = place(graph.ops[0], 31, design, placement)
        assert len(set(zip(found.cluster.tolist(), found.domain.tolist(), strict=True))) == 31
        assert found.domain.max() < 8


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_the_exact_placement_equals_all_permutations(seed: int) -> None:
    rng = np.random.default_rng(seed)
    words = rng.integers(0, 5, 30).tolist()
    graph = accesses(words, 5)
    each = []
    for order in itertools.permutations(range(5)):
        found = Places(np.zeros(5, np.int64), np.array(order, np.int64))
        each.append(found.shifts(np.array(words), ONE_PORT).total)
    exact = shifts(graph, Placement.EXACT)
    assert exact == min(each)
    assert exact <= min(shifts(graph, other) for other in Placement if other is not Placement.EXACT)


@pytest.mark.parametrize("network", ["matrix_product_accesses", "uniform_accesses"])
def test_the_arrangement_is_not_worse_than_first_use_on_structured_sequences(network: str) -> None:
    graph = load(network)
    first = shifts(graph, Placement.FIRST_USE, PRESETS["rtsim"].model_copy(update={"ports": 1}))
    arranged = shifts(graph, Placement.ARRANGEMENT, PRESETS["rtsim"].model_copy(update={"ports": 1}))
    assert arranged <= first if network.startswith("matrix") else arranged <= 1.05 * first


def test_a_chain_is_laid_out_as_a_chain() -> None:
    chain = [3, 0, 4, 1, 2]
    words = [w for _ in range(20) for w in (*chain, *chain[::-1])]
    graph = accesses(words, 5)
    assert shifts(graph, Placement.ARRANGEMENT) <= min(len(words), shifts(graph, Placement.FREQUENCY))
    report = evaluate(graph, chip("racetrack_memory", ports=1, placement="frequency"))
    assert "placement=" in report.layers[0].mapping


@given(
    st.lists(st.integers(0, 20), min_size=1, max_size=80),
    st.integers(1, 4),
    st.sampled_from(["lazy", "eager"]),
)
@examples(40)
def test_more_ports_never_lengthen_an_arrangement(words: list[int], ports: int, policy: str) -> None:
    """The row alone is one of the ways that are compared; folded, it uses all ports."""
    design = PRESETS["rtsim"].model_copy(update={"ports": ports, "domains": 10, "policy": policy})
    op = accesses(words, 21).ops[0]
    row = Places(*(np.array(part) for part in _unfolded(op, 21, design)))
    found = place(op, 21, design, Placement.ARRANGEMENT).shifts(np.array(words), design)
    assert found.total <= row.shifts(np.array(words), design).total


def _unfolded(op: Op, count: int, design: RacetrackMemoryDesign) -> tuple[list[int], list[int]]:
    """Return the places of the row that one port gets; ports do not change its order."""
    one = place(op, count, design.model_copy(update={"ports": 1}), Placement.ARRANGEMENT)
    return one.cluster.tolist(), one.domain.tolist()


def test_a_second_port_halves_the_shifts_of_a_chain() -> None:
    chain = list(range(40))
    graph = accesses([w for _ in range(10) for w in (*chain, *chain[::-1])], 40)
    two = PRESETS["rtsim"].model_copy(update={"ports": 2, "clusters": 1})
    one = shifts(graph, Placement.ARRANGEMENT)
    assert shifts(graph, Placement.ARRANGEMENT, two) <= 0.52 * one


def test_figures_say_what_every_placement_takes() -> None:
    figures = ACCELERATOR.figures
    assert figures is not None
    graph = load("matrix_product_accesses")
    found = figures(graph, PRESETS["rtsim_compatible"])
    assert found["accesses_count"] == 6**2 * (2 * 6 + 1)
    assert found["counted_shifts_count"] == 32 * found["shifts_count"]
    assert found["first_use_shifts_count"] == found["shifts_count"]


def test_exact_has_limits_that_it_states() -> None:
    for knobs, words, message in (({}, 5, "one port"), ({"ports": 1}, 9, "at most 8")):
        graph = accesses([0, 1], words)
        with pytest.raises(InputError, match=message):
            evaluate(graph, chip("racetrack_memory", placement="exact", **knobs))


def test_mean_time_to_failure() -> None:
    """1e-8 a shift at 5e7 shifts a second: 2 s (Roxy et al. 2022)."""
    assert mean_time_to_failure_s(error_per_shift(1, FaultModel.PINNING).value, 5e7) == pytest.approx(2.0)
    rates = [error_per_shift(distance, FaultModel.POSITION).value for distance in range(1, 8)]
    assert rates == sorted(rates)
    assert error_per_shift(1, FaultModel.POSITION).kind == "unconfirmed"
    assert error_per_shift(1, FaultModel.POSITION, 1).value == pytest.approx(1.37e-21)
    for distance, faults, steps in (
        (8, FaultModel.POSITION, 0),
        (1, FaultModel.NONE, 0),
        (3, FaultModel.POSITION, 1),
    ):
        with pytest.raises(InputError):
            error_per_shift(distance, faults, steps)
    figures = ACCELERATOR.figures
    assert figures is not None
    graph, times = load("matrix_product_accesses"), {}
    for model in (FaultModel.PINNING, FaultModel.POSITION):
        design = PRESETS["rtsim"].model_copy(update={"fault_model": model})
        times[model] = figures(graph, design)["mean_time_to_failure_s"]
    assert times[FaultModel.PINNING] > 1000 * times[FaultModel.POSITION]


def test_a_trace_file_with_names() -> None:
    graph = load(DATA / "vectors.memtrace")
    op = graph.ops[0]
    assert op.ints("words") == (0, 1, 2, 3, 4, 5, 0, 2, 0)
    assert op.ints("writes") == (0, 0, 1, 0, 0, 1, 0, 0, 1)
    report = evaluate(graph, "racetrack_memory")
    assert {row.action: row.events for row in report.events if row.unit == "port"} == {"read": 6, "write": 3}


def test_a_better_placement_stands_on_the_screen(tmp_path: Path) -> None:
    """And it is as good as it says: the places, written as a trace, take that many shifts."""
    shown = show_text([evaluate(load(DATA / "vectors.memtrace"), "racetrack_memory")])
    found = re.search(
        r"first use .*: 14 shifts; placement=arrangement would take 6 \(-57.1%\), with (.*)", shown
    )
    assert found is not None
    places = dict(part.split(" at ") for part in found[1].split(", "))
    assert list(places) == ["a0", "b0", "c0", "a1", "b1", "c1"]
    lines = [line.split() for line in (DATA / "vectors.memtrace").read_text().splitlines()[1:]]
    path = tmp_path / "placed.memtrace"
    path.write_text("".join(f"{kind} {places[name]}\n" for kind, name in lines))
    assert shifts(load(path), Placement.AS_GIVEN, PRESETS["rtsim"]) == 6
    long = accesses([0, 40, 1, 41, 0, 40] * 3, 42)
    assert "would take" in evaluate(long, "racetrack_memory").layers[0].mapping
    assert "with word" not in evaluate(long, "racetrack_memory").layers[0].mapping


def test_a_trace_file_with_places(tmp_path: Path) -> None:
    path = tmp_path / "placed.memtrace"
    path.write_text("R 0 5\nW 1 63 # other cluster\nR 0 5\n")
    graph = load(path)
    assert graph.ops[0].ints("domains") == (5, 63)
    assert shifts(graph, Placement.AS_GIVEN, PRESETS["rtsim"]) == 5 + 31
    path.write_text("R 0 64\n")
    with pytest.raises(InputError, match="domain 64 does not exist"):
        evaluate(load(path), "racetrack_memory")


def test_malformed_lines_are_named_all_at_once(tmp_path: Path) -> None:
    path = tmp_path / "bad.memtrace"
    path.write_text("R a\nX b\nW 3\nR 1 2 3\nR -1 2\n\nR ok\n")
    with pytest.raises(InputError) as caught:
        load(path)
    assert [problem.where.rpartition(":")[2] for problem in caught.value.problems] == ["2", "3", "4", "5"]
    for text, message in (
        ("# nothing\n", "holds no access"),
        ("", "is empty"),
        ("R a\nR 1 2\n", "mixes names and places"),
    ):
        path.write_text(text)
        with pytest.raises(InputError, match=message):
            load(path)
    path.write_text("R a\n")
    with pytest.raises(InputError, match="dimensions"):
        load(path, dimensions={"n": 2})
