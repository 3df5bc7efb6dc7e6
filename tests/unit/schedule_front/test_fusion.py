from __future__ import annotations

import json
from pathlib import Path

import pytest

import hwsim
from hwsim.errors import InputError
from hwsim.graph import GraphBuilder
from hwsim.schedule.network import Options, from_graph
from hwsim.schedule.network_fusion import Fusion
from hwsim.schedule.types import Problem
from workloads.nas import WORKLOADS

DARTS = next(family for family in WORKLOADS if family.name == "darts")
GRAPHS = Path(__file__).parents[2] / "data/schedule_graphs.json"
# Steps at each choice, by network; published granularity: facts/cosma.md, 4.1, without the image.
STEPS = {"resnet50": (174, 72, 72, 72), "mobilenet_v2": (151, 64, 64, 59), "darts_8": (372, 261, 105, 105),
         "densenet121": (426, 246, 185, 185), "randwire_ws32x1": (147, 95, 54, 36)}


def as_blocks(problem: Problem) -> tuple[list[int], list[list[int]]]:
    """Return sizes and predecessors with the image as operator 0, as the files with known optima do."""
    image = next(t for t in range(len(problem.tensors)) if problem.producer[t] < 0)
    size = [problem.tensors[image].size, *(problem.tensors[op.outputs[0]].size for op in problem.operators)]
    reads = [sorted(problem.producer[t] + 1 for t in op.inputs) for op in problem.operators]
    return size, [[], *reads]


@pytest.mark.parametrize(("oracle", "cells"), [("DARTS-1c", 1), ("DARTS-8c", 8)])
def test_darts_is_the_graph_with_known_optima(oracle: str, cells: int) -> None:
    graphs = json.loads(GRAPHS.read_text())["graphs"]
    wanted = next(graph for graph in graphs if graph["name"] == oracle)
    problem = from_graph(DARTS.graph("darts_8", {"cells": cells}), Options(bits=8)).problem
    size, reads = as_blocks(problem)
    assert size == wanted["size"]
    assert reads == [sorted(sources) for sources in wanted["ins"]]


@pytest.mark.parametrize("name", STEPS)
def test_each_choice_includes_the_ones_before(name: str) -> None:
    graph = hwsim.load(name)
    found = [from_graph(graph, Options(bits=8, fusion=choice)) for choice in Fusion]
    assert tuple(len(network.problem.operators) for network in found) == STEPS[name]
    steps = sorted(op for network in found[:1] for op in network.members)
    for network in found:
        assert sorted(op for members in network.members.values() for op in members) == steps
        assert all(name in members for name, members in network.members.items())


def test_a_separable_convolution_is_one_step_only_without_anything_in_between() -> None:
    def network(active: bool) -> list[str]:
        builder = GraphBuilder("pair")
        x = builder.input("x", (1, 8, 32, 32))
        y = builder.conv(builder.relu(x, "relu"), 8, 3, padding=1, groups=8, name="depthwise")
        y = builder.relu(y, "between") if active else y
        builder.output(builder.batch_norm(builder.conv(y, 16, 1, name="pointwise"), "bn"))
        return [op.name for op in from_graph(builder.build()).problem.operators]

    assert network(active=False) == ["depthwise"]
    assert network(active=True) == ["depthwise", "pointwise"]


def test_an_activation_belongs_to_the_convolution_before_it_rather_than_to_the_one_behind() -> None:
    builder = GraphBuilder("row")
    x = builder.conv(builder.relu(builder.input("x", (1, 8, 32, 32)), "first"), 8, 3, padding=1, name="a")
    builder.output(builder.conv(builder.relu(x, "second"), 8, 3, padding=1, name="b"))
    members = from_graph(builder.build()).members
    assert dict(members) == {"a": ("first", "a", "second"), "b": ("b",)}


@pytest.mark.parametrize("extra", ["reader", "output", "branch"])
def test_what_others_read_is_never_fused_away(extra: str) -> None:
    builder = GraphBuilder("shared")
    x = builder.input("x", (1, 8, 32, 32))
    active = builder.relu(x, "relu")
    spread = builder.conv(active, 8, 3, padding=1, groups=8, name="depthwise")
    if extra == "output":
        builder.output(spread)
    if extra == "reader":
        builder.output(builder.max_pool(spread, 2, stride=2, name="pool"))
    if extra == "branch":
        builder.output(builder.max_pool(active, 2, stride=2, name="pool"))
    builder.output(builder.conv(spread, 16, 1, name="pointwise"))
    held = {tensor.name for tensor in from_graph(builder.build()).problem.tensors}
    assert ("relu" if extra == "branch" else "depthwise") in held


def test_only_strided_pointwise_branches_are_a_factorized_reduction() -> None:
    def network(stride: int) -> list[str]:
        builder = GraphBuilder("branches")
        x = builder.relu(builder.input("x", (1, 8, 32, 32)), "relu")
        parts = [builder.conv(x, 4, 1, stride=stride, name=name) for name in ("even", "odd")]
        builder.output(builder.batch_norm(builder.concatenate(parts, 1, "join"), "bn"))
        return [op.name for op in from_graph(builder.build()).problem.operators]

    assert network(stride=2) == ["even"]
    assert network(stride=1) == ["relu", "even", "odd", "join", "bn"]


def test_an_unknown_choice_names_the_nearest() -> None:
    with pytest.raises(InputError, match="operations"):
        Options(fusion="operation")  # type: ignore[arg-type]
