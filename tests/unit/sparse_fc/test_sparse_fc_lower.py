"""Lowering: cycles follow the inputs alone, memory follows the mask, and misfits are refused."""

from __future__ import annotations

import pytest

from accelerators.sparse_fc import ACCELERATOR, PRESETS
from accelerators.sparse_fc.lower import PRUNED, bits_per_neuron
from accelerators.sparse_fc.mapping import layer_of
from hwsim.errors import InputError, UnsupportedOp
from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import Graph, Sparsity
from hwsim.run import chip, evaluate


def layer(inputs: int, columns: int, rows: int = 1, sparsity: Sparsity | None = None) -> Graph:
    b = GraphBuilder("layer")
    weight = b.weight("w", (inputs, columns), sparsity=sparsity)
    b.output(b.add("gemm", [b.input("x", (rows, inputs)), weight], name="fc"))
    return b.build()


@pytest.mark.parametrize("sparsity", [0.0, 0.5, 0.9])
@pytest.mark.parametrize(
    ("rows", "inputs", "columns", "passes"), [(1, 300, 8, 1), (3, 40, 9, 2), (2, 7, 24, 3)]
)
def test_cycles_are_inputs_times_passes_times_samples(
    sparsity: float, rows: int, inputs: int, columns: int, passes: int
) -> None:
    target = chip("sparse_fc", neurons=8, sparsity_ratio=sparsity)
    report = evaluate(layer(inputs, columns, rows), target)
    assert report.totals.cycles == rows * inputs * passes
    assert report.totals.stall_cycles == 0


def test_dropped_connections_are_skipped_by_name_and_take_no_memory() -> None:
    design = chip("sparse_fc", sparsity_ratio=0.75, lfsr_bits=10).design
    graph = layer(1024, 3, rows=2)
    kept = layer_of(graph, graph.ops[0], design).kept
    trace = ACCELERATOR.lower(graph, design)
    assert trace.skips == {("fc", PRUNED): 2 * (3 * 1024 - sum(kept))}
    assert bits_per_neuron({"fc": layer_of(graph, graph.ops[0], design)}, design).tolist() == list(kept)
    assert all(abs(count - 256) <= 1 for count in kept)


def test_utilization_counts_what_is_executed() -> None:
    report = evaluate(layer(1023, 1), chip("sparse_fc:neuron_75"))
    assert report.totals.utilization == pytest.approx(256 / 1023)


def test_repeated_states_are_reported_and_accepted() -> None:
    report = evaluate(layer(3000, 4), "sparse_fc:mlp_90")
    assert "953 of 3000 inputs repeat states of the 11-bit registers" in report.layers[0].mapping
    assert "repeat" not in evaluate(layer(2047, 4), "sparse_fc:mlp_90").layers[0].mapping
    assert "1 of 1024 inputs repeat" in evaluate(layer(1024, 1), "sparse_fc:neuron_50").layers[0].mapping


def test_more_columns_than_seeds_are_refused_with_the_width_that_suffices() -> None:
    with pytest.raises(InputError, match=r"layer\.fc: 2048 columns need different seeds.*set lfsr_bits=12"):
        evaluate(layer(4, 2048), "sparse_fc:mlp_90")
    with pytest.raises(InputError, match=r"2 seeds for 3 columns \(set seeds=spread\)"):
        evaluate(layer(4, 3), chip("sparse_fc", seeds=(1, 2)))
    assert evaluate(layer(4, 2048), chip("sparse_fc", lfsr_bits=12)).totals.cycles == 8


def test_given_seeds_are_those_of_the_columns() -> None:
    design = chip("sparse_fc", seeds=(9, 4, 7)).design
    assert layer_of(layer(4, 3), layer(4, 3).ops[0], design).seeds == (9, 4, 7)


def test_weights_that_do_not_fit_are_refused_with_the_size_that_does() -> None:
    with pytest.raises(
        InputError, match=r"has to store 1024 bits .* weight_memory_bits is 512 .set weight_memory_bits=1024"
    ):
        evaluate(layer(1024, 2), chip("sparse_fc", sparsity_ratio=0))
    assert (
        evaluate(layer(1024, 2), chip("sparse_fc", sparsity_ratio=0, weight_memory_bits=1024)).totals.cycles
        == 1024
    )
    with pytest.raises(InputError, match="set weight_memory_bits=2048"):
        evaluate(
            layer(1024, 2), chip("sparse_fc", sparsity_ratio=0, weight_memory_bits=1024, weights="ternary")
        )
    with pytest.raises(InputError, match="set weight_memory_bits=2048"):
        evaluate(layer(1024, 2), chip("sparse_fc", sparsity_ratio=0, weight_memory_bits=1024, neurons=1))


def test_network_and_design_may_not_disagree_on_the_sparsity() -> None:
    graph = layer(100, 5, sparsity=Sparsity(0.4))
    with pytest.raises(InputError, match=r"drops 0.6 of w, the design 0.9 \(set sparsity_ratio=0.6"):
        evaluate(graph, "sparse_fc")
    followed, set_alike = (
        evaluate(graph, chip("sparse_fc", sparsity_ratio=share)) for share in ("network", 0.6)
    )
    assert followed.layers[0].mapping == set_alike.layers[0].mapping
    dense = evaluate(layer(100, 5), chip("sparse_fc", sparsity_ratio="network"))
    assert dense.layers[0].mapping == "1 passes, 500 of 500 connections kept"


def test_operators_without_neurons_are_refused_in_words() -> None:
    b = GraphBuilder("net")
    x = b.relu(b.conv(b.input("x", (1, 2, 4, 4)), 3, 3), "relu")
    b.output(b.softmax(b.linear(b.flatten(x), 4, name="fc")))
    with pytest.raises(UnsupportedOp) as caught:
        evaluate(b.build(), "sparse_fc")
    assert [problem.where for problem in caught.value.problems] == ["net.conv_1", "net.relu", "net.softmax_1"]
    b = GraphBuilder("net")
    b.output(b.matmul(b.input("x", (2, 3)), b.input("y", (3, 4)), name="mm"))
    with pytest.raises(UnsupportedOp, match="both operands are activations"):
        evaluate(b.build(), "sparse_fc")


def test_functions_behind_neurons_take_no_time() -> None:
    report = evaluate("mlp_mnist_3x1024", chip("sparse_fc"))
    fused = {layer.name: layer.fused_into for layer in report.layers if layer.fused_into}
    assert fused == {f"{kind}{at}": f"fc{at}" for kind in ("bn", "relu") for at in (1, 2, 3)}
    assert report.totals.cycles == 784 + 3 * 1024


def test_price_of_a_neuron_outside_the_table_says_so() -> None:
    def kinds(**knobs: object) -> set[str]:
        sheet = ACCELERATOR.datasheet(chip("sparse_fc", **knobs).design)
        return {str(row.energy.kind) for row in sheet.actions if row.energy is not None}

    assert kinds(weight_memory_bits=64) == kinds(weight_memory_bits=1024) == {"derived"}
    assert (
        kinds(weight_memory_bits=1025)
        == kinds(weight_memory_bits=63)
        == kinds(weights="ternary")
        == {"assumed"}
    )


def test_energy_per_clock_does_not_depend_on_the_clock() -> None:
    joules = {
        evaluate(layer(64, 2), chip("sparse_fc", clock_hz=hz)).totals.energy_j for hz in (1e6, 400e6, 1e9)
    }
    assert len(joules) == 1


def test_presets_of_the_table_have_one_neuron() -> None:
    rows = [design for name, design in PRESETS.items() if name.startswith("neuron_")]
    assert [(d.neurons, d.lfsr_bits, d.weight_memory_bits) for d in rows] == [
        (1, 10, bits) for bits in (1024, 512, 256, 128, 64)
    ]
