"""Tiles, cycles, junctions and joules of known networks, and how they depend on the knobs."""

from __future__ import annotations

import pytest

from accelerators.aqfp_bnn.design import PRESETS, AqfpBnnDesign
from accelerators.aqfp_bnn.figures import crossbar_figures, figures, warnings
from accelerators.aqfp_bnn.lower import lower
from accelerators.aqfp_bnn.mapping import crossbar_cycles, line_buffer_bits, map_layer
from accelerators.aqfp_bnn.network import Network, supports
from accelerators.aqfp_bnn.schedule import schedule
from hwsim.errors import InputError, UnsupportedOp
from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import BINARY, FLOAT32, Graph
from hwsim.run import chip, evaluate, load
from tests.unit.aqfp_bnn.networks import dense, mixed, perceptron, sign, vgg_small

TILES = {
    8: (71424, 4176),
    16: (17856, 1044),
    18: (14528, 928),
    36: (3776, 244),
    72: (992, 78),
    144: (248, 39),
}


def design(**knobs: object) -> AqfpBnnDesign:
    found = chip("aqfp_bnn", **knobs).design
    assert isinstance(found, AqfpBnnDesign)
    return found


def of_vgg(**knobs: object) -> dict[str, float]:
    return figures(vgg_small(), design(**knobs))


def crossbars_of_vgg(**knobs: object) -> dict[str, float]:
    return crossbar_figures(vgg_small(), design(**knobs))


@pytest.mark.parametrize("crossbar", TILES)
def test_crossbars_of_known_networks(crossbar: int) -> None:
    for name, tiles in zip(("vgg_small_bnn", "resnet20_bnn"), TILES[crossbar], strict=True):
        layers = Network(load(name)).layers
        size = design(crossbar_size=crossbar)
        assert sum(map_layer(layer, size).tiles for layer in layers) == tiles, name


def test_utilization_of_vgg_small() -> None:
    for crossbar, expected in ((72, 0.889), (16, 1.0)):
        size = design(crossbar_size=crossbar)
        mappings = [map_layer(layer, size) for layer in Network(vgg_small()).layers]
        weights = sum(m.layer.product.k * m.layer.product.n for m in mappings)
        found = weights / sum(m.tiles * crossbar**2 for m in mappings)
        assert found == pytest.approx(expected, abs=0.001)


@pytest.mark.parametrize(("length", "per_ms"), [(1, 4882.8125), (16, 305.18), (32, 152.59)])
def test_throughput_of_resident_networks(length: int, per_ms: float) -> None:
    for name in ("vgg_small_bnn", "resnet20_bnn", "resnet18_cifar_bnn"):
        found = figures(load(name), design(stream_length=length))
        assert found["samples_per_s"] / 1000 == pytest.approx(per_ms, rel=1e-4), name
    perceptrons = figures(load("mlp_lfc_bnn"), design(stream_length=length))
    assert perceptrons["samples_per_s"] / 1000 == pytest.approx(5e6 / length)


def test_energy_of_vgg_small_in_both_accountings() -> None:
    alone, whole = crossbars_of_vgg(), of_vgg()
    assert alone["active_j"] == pytest.approx(688.54e-12, rel=1e-5)
    assert alone["always_on_j"] == pytest.approx(5.336e-9, rel=1e-4)
    assert alone["junctions_count"] == pytest.approx(6.514e7, rel=1e-4)
    assert alone["always_on_j"] * whole["samples_per_s"] == pytest.approx(1.628e-3, rel=1e-3)
    assert crossbars_of_vgg(stream_length=1)["active_j"] == pytest.approx(43.034e-12, rel=1e-5)
    assert whole["always_on_j"] >= whole["active_j"] > alone["active_j"]
    assert whole["junctions_count"] == 106_043_392
    assert evaluate(vgg_small(), "aqfp_bnn").totals.cycles == 17_388


RECONCILED = [("superbnn", 1, "active", 2.81e7), ("superbnn", 16, "active", 1.75e6),
              ("superbnn_1p4zj", 16, "active", 6.3e6), ("superbnn", 16, "always_on", 2.3e5),
              ("superbnn_1p4zj", 16, "always_on", 8.1e5)]  # fmt: skip


@pytest.mark.parametrize(("preset", "length", "accounting", "tops_per_w"), RECONCILED)
def test_efficiency_reconciles_as_derived(
    preset: str, length: int, accounting: str, tops_per_w: float
) -> None:
    target = PRESETS[preset].model_copy(update={"stream_length": length})
    found = crossbar_figures(vgg_small(), target)[f"{accounting}_operations_per_j"] / 1e12
    assert found == pytest.approx(tops_per_w, rel=0.02)
    assert found < 2 / (12 * target.junction_j) / 1e12


def test_efficiency_falls_with_the_stream_and_cooling_divides_it() -> None:
    one, many = (crossbars_of_vgg(stream_length=length)["active_operations_per_j"] for length in (1, 32))
    assert one / many == pytest.approx(32)
    found = of_vgg()
    for name in ("active", "always_on"):
        assert found[f"{name}_cooled_j"] == found[f"{name}_j"] * 400
        assert found[f"{name}_operations_per_j"] / found[f"{name}_cooled_operations_per_j"] == pytest.approx(
            400
        )


@pytest.mark.parametrize(("preset", "figure"), [("superbnn", "active_j"), ("superbnn_always_on", "power_w")])
def test_the_report_charges_what_the_figures_say(preset: str, figure: str) -> None:
    report = evaluate(vgg_small(), f"aqfp_bnn:{preset}")
    found = figures(vgg_small(), PRESETS[preset])[figure]
    chip_j = report.totals.energy_j / 400
    time_s = report.totals.cycles / 5e9
    assert chip_j == pytest.approx(found if figure == "active_j" else found * time_s, rel=1e-9)


def test_energy_of_crossbars_stays_unconfirmed_until_their_junctions_are_given() -> None:
    own = evaluate(vgg_small(), chip("aqfp_bnn", junction_j=2e-21, cooling_ratio=1)).energy_by_evidence
    assert own["unconfirmed"] == pytest.approx(688.54e-12 * 2 / 5, rel=1e-5)
    assert own["derived"] > 0
    given = {"junction_j": 2e-21, "cooling_ratio": 1, "cell_junctions": 10}
    assert set(evaluate(vgg_small(), chip("aqfp_bnn", **given)).energy_by_evidence) == {"derived"}


def test_latency_of_a_crossbar_in_cycles() -> None:
    cycles = {size: crossbar_cycles(design(crossbar_size=size)) for size in (4, 8, 16, 18, 36, 72, 144)}
    assert cycles == {4: 1, 8: 1, 16: 1, 18: 1, 36: 2, 72: 3, 144: 6}


def test_a_layer_takes_its_tail_and_a_network_its_windows() -> None:
    graph, target = perceptron(100, 20), design()
    plan = schedule(graph, target)
    (table,) = plan.tables
    module = table.mapping.module
    assert plan.latency_cycles == 16 + 3 + -(-module.depth // 4)
    assert plan.interval_cycles == 16
    assert schedule(perceptron(100, 20, batch=5), target).cycles == plan.latency_cycles + 4 * 16


def test_convolutions_wait_for_their_lines() -> None:
    plan = schedule(vgg_small(), design())
    first, second = plan.tables[:2]
    # Window 0 of the second layer needs rows 0 to 3 of the first, pooled in twos: pixels up to (3, 3).
    assert second.needs[0][0] == 3 * 32 + 3
    assert second.starts[0] == first.delivered[99]
    assert plan.interval_cycles == 1024 * 16
    assert line_buffer_bits(first.mapping.layer.product) == (2 * 32 + 3) * 128


def test_loops_longer_than_a_cycle_interleave_windows() -> None:
    three, four = (schedule(vgg_small(), design(clock_phases=phases)) for phases in (3, 4))
    assert [plan.tables[0].lanes for plan in (three, four)] == [2, 1]
    assert three.interval_cycles == four.interval_cycles == 1024 * 16
    assert three.tables[0].mapping.hold_cycles == 2 * four.tables[0].mapping.hold_cycles


def test_replication_shortens_the_interval_and_multiplies_junctions() -> None:
    one, four = (of_vgg(replication=count) for count in (1, 4))
    assert four["interval_s"] == one["interval_s"] / 4
    assert four["junctions_count"] == 4 * one["junctions_count"]
    assert four["active_j"] == pytest.approx(one["active_j"])


def test_phase_skipping_saves_junctions_of_the_modules_only() -> None:
    plain = of_vgg(clock_phases=8)
    skipped = of_vgg(clock_phases=8, max_phase_skip=3)
    assert plain["clocking_saving_ratio"] == 0
    assert 0.2 < skipped["clocking_saving_ratio"] < 0.4
    assert crossbars_of_vgg(clock_phases=8, max_phase_skip=3) == crossbars_of_vgg(clock_phases=8)
    assert skipped["junctions_count"] < plain["junctions_count"]


def test_weight_memory_takes_a_ring_of_buffers_a_bit() -> None:
    with_ring, without = of_vgg(), of_vgg(weight_memory="in_cell")
    assert with_ring["junctions_count"] - without["junctions_count"] == 4_571_136 * 8


def test_warnings_compare_with_what_was_built() -> None:
    found = warnings(vgg_small(), design(crossbar_size=200))
    assert "times the largest AQFP chip shown (83000)" in found[0]
    assert any("crossbar 200 is outside" in line for line in found)
    assert "785" in f"{crossbars_of_vgg()['junctions_count'] / 83000:.0f}"
    assert len(evaluate(vgg_small(), "aqfp_bnn").warnings) == 4


def test_more_crossbars_than_there_are() -> None:
    with pytest.raises(InputError, match="takes 992 crossbars, the chip has room for 500"):
        lower(vgg_small(), design(crossbars=500))


def test_counts_that_do_not_fit() -> None:
    with pytest.raises(InputError, match="take 9 bits, not 8"):
        lower(vgg_small(), design(count_bits=8))
    with pytest.raises(InputError, match="no rule decides"):
        lower(vgg_small(), design(tie_rule="none"))


def odd(b: GraphBuilder, kind: str) -> str:
    x = b.input("x", (1, 4, 6, 6), format=BINARY)
    if kind == "groups":
        w = b.weight("w", (4, 2, 3, 3), format=BINARY)
        return b.add("convolution", [x, w], name="op", groups=2, format=FLOAT32)
    if kind == "dilation":
        w = b.weight("w", (4, 4, 2, 2), format=BINARY)
        return b.add("convolution", [x, w], name="op", dilations=(2, 2), format=FLOAT32)
    if kind == "weights":
        return b.conv(x, 4, 3, bias=False, name="op")
    flat = b.flatten(x, "flat")
    if kind == "alpha":
        w = b.weight("w", (144, 3), format=BINARY)
        return b.add("gemm", [flat, w], name="op", alpha=0.5, format=FLOAT32)
    if kind == "inputs":
        w = b.weight("w", (144, 3), format=BINARY)
        return b.add(
            "gemm",
            [b.add("elementwise", flat, function="relu", format=FLOAT32), w],
            name="op",
            format=FLOAT32,
        )
    return b.softmax(flat, name="op")


REASONS = {"groups": "2 groups", "dilation": "dilation", "weights": "binary weights",
           "alpha": "factors alpha", "inputs": "binary inputs", "softmax": "no binary product"}  # fmt: skip


@pytest.mark.parametrize("kind", REASONS)
def test_operators_that_crossbars_cannot_run(kind: str) -> None:
    b = GraphBuilder("odd")
    b.output(odd(b, kind))
    graph = b.build()
    with pytest.raises(UnsupportedOp, match=REASONS[kind]):
        evaluate(graph, "aqfp_bnn")


def test_what_follows_a_product_is_absorbed_up_to_the_last_pool() -> None:
    network = Network(mixed())
    layers = network.layers
    assert [[op.name for op in layer.posts] for layer in layers] == [
        ["conv1.pool", "conv1.bn", "conv1.sign"], ["conv2.bn", "conv2.sign"],
    ]  # fmt: skip
    refused = [op.name for op in mixed().ops if supports(mixed(), op)]
    assert refused == ["conv0", "bn0", "sign0", "fc"]


def residual() -> Graph:
    """A sum of two branches between binary layers: the host waits for both, and the next layer for it."""
    b = GraphBuilder("residual")
    x = b.input("x", (1, 32), format=BINARY)
    y = dense(b, x, 32, "fc1")
    z = dense(b, sign(b, y, "sign1"), 32, "fc2")
    b.output(dense(b, sign(b, b.add("elementwise", [y, z], name="add", function="add"), "sign2"), 8, "fc3"))
    return b.build()


def test_layers_behind_a_residual_sum_wait_for_all_branches() -> None:
    plan = schedule(residual(), design())
    assert [sorted(table.needs) for table in plan.tables] == [[], [0], [0, 1]]
    assert plan.tables[2].starts[0] == plan.tables[1].delivered[-1]
    # Two read fc1, so no comparator takes its sums: they leave the chip.
    assert [table.mapping.layer.decides for table in plan.tables] == [False, False, False]
