"""Crossbar arithmetic against integers: exact while the converter suffices, measured where it does not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelerators.reram_pim import ACCELERATOR
from accelerators.reram_pim.arithmetic import input_digits, product, read, store
from accelerators.reram_pim.design import PRESETS, Encoding, ReramDesign
from accelerators.reram_pim.figures import clipping_error
from accelerators.reram_pim.machine import draw
from accelerators.reram_pim.mapping import layers_of, placed
from hwsim.errors import DesignError, InputError, UnsupportedOp
from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import BINARY, INT8, TERNARY, UINT8, FormatKind, Graph, NumberFormat
from hwsim.run import chip, evaluate, load

FORMATS = (
    INT8,
    UINT8,
    TERNARY,
    BINARY,
    NumberFormat(FormatKind.INTEGER, 5),
    NumberFormat(FormatKind.INTEGER, 16),
)


def fits(rows: int, cell_bits: int, dac_bits: int, encoding: Encoding) -> ReramDesign:
    """A design whose converter is just large enough."""
    wide = ReramDesign(
        array_rows=rows, array_cols=64, cell_bits=cell_bits, dac_bits=dac_bits, encoding=encoding
    )
    return wide.model_copy(update={"adc_bits": max(1, wide.largest_sum.bit_length())})


@given(
    st.integers(1, 40),
    st.integers(1, 4),
    st.integers(1, 3),
    st.sampled_from(Encoding),
    st.integers(0, 5),
    st.sampled_from(FORMATS[:5]),
    st.integers(1, 50),
    st.integers(0, 2**32),
)
def test_exact_when_the_converter_suffices(
    rows: int,
    cell_bits: int,
    dac_bits: int,
    encoding: Encoding,
    form: int,
    inputs: NumberFormat,
    k: int,
    seed: int,
) -> None:
    design, rng = fits(rows, cell_bits, dac_bits, encoding), np.random.default_rng(seed)
    assert not design.clips
    vectors, weights = draw(inputs, (3, k), rng), draw(FORMATS[form], (k, 4), rng)
    assert np.array_equal(product(vectors, weights, inputs, FORMATS[form], design), vectors @ weights)


def test_the_converter_of_isaac_is_just_enough() -> None:
    """128 x 1 x 3 needs 9 bits; complementing columns makes 8 do (section A6 of the published design)."""
    isaac = PRESETS["isaac"]
    assert isaac.largest_sum == 192
    assert not isaac.clips
    assert isaac.model_copy(update={"encoding": Encoding.PLAIN}).clips
    assert not isaac.model_copy(update={"encoding": Encoding.PLAIN, "adc_bits": 9}).clips
    form = NumberFormat(FormatKind.INTEGER, 16)
    worst = np.full((1, 128), -1), np.full((128, 2), 2**15 - 1)
    assert np.array_equal(product(*worst, form, form, isaac), worst[0] @ worst[1])


def test_a_short_converter_clips_and_the_error_is_measured() -> None:
    graph = load("lenet5")
    prepared = ACCELERATOR.prepare(graph, PRESETS["isaac"])
    layers = [layer for op in prepared.ops for layer in layers_of(prepared, op, PRESETS["isaac"])]
    errors = []
    for bits in (8, 7, 6, 5, 4):
        design = PRESETS["isaac"].model_copy(update={"adc_bits": bits, "allow_clipping": True})
        errors.append(clipping_error(prepared, layers, design))
    assert errors[0] == 0
    assert errors == sorted(errors)
    assert errors[-1] > 0.1
    with pytest.raises(DesignError, match="allow_clipping"):
        evaluate(graph, chip("reram_pim", adc_bits=6))
    figures = ACCELERATOR.figures
    assert figures is not None
    allowed = chip("reram_pim", adc_bits=6, allow_clipping=True)
    assert figures(prepared, allowed.design)["clipping_error_ratio"] > 0


def test_a_column_is_complemented_where_that_is_smaller() -> None:
    design = fits(4, 2, 1, Encoding.FLIPPED)
    stored = store(np.array([[127], [127], [127]]), INT8, design)
    assert stored.flipped.any()
    assert (2 * stored.cells.sum(1) <= 3 * (2**design.cell_bits - 1)).all()
    assert np.array_equal(
        read(np.zeros((1, 3), int), stored, design), np.zeros((1, 1, stored.cells.shape[2]))
    )


def test_arrays_and_reads_follow_the_published_formula() -> None:
    b = GraphBuilder("one", format=NumberFormat(FormatKind.INTEGER, 16))
    b.output(b.linear(b.input("x", (1, 300)), 200, name="fc", bias=False))
    graph = b.build()
    (layer,) = layers_of(graph, graph.ops[0], PRESETS["isaac"])
    assert (layer.row_tiles, layer.column_tiles, layer.reads) == (
        3,
        13,
        16,
    )  # ceil(300/128), ceil(200 x 8 / 128)
    report = evaluate(graph, chip("reram_pim", replicate=False))
    assert report.totals.time_s == pytest.approx(16 * 100e-9, rel=1e-6)


def linear(k: int, n: int, m: int = 1) -> Graph:
    b = GraphBuilder("linear", format=INT8)
    b.output(b.linear(b.input("x", (m, k)), n, name="fc", bias=False))
    return b.build()


def test_copies_never_exceed_the_chip_and_save_rounds() -> None:
    graph = load("alexnet_ternary")
    prepared = ACCELERATOR.prepare(graph, PRESETS["isaac"])
    for chips in (1, 2, 3):
        design = PRESETS["isaac"].model_copy(update={"chips": chips})
        layers = [layer for found in placed(prepared, design).values() for layer in found]
        assert sum(layer.arrays * layer.copies for layer in layers) <= design.arrays
        assert all(layer.copies <= layer.product.m for layer in layers)
    times = [evaluate(graph, chip("reram_pim", chips=chips)).totals.time_s for chips in (1, 2, 4)]
    assert times == sorted(times, reverse=True)
    assert evaluate(graph, chip("reram_pim", replicate=False)).totals.time_s > times[0]


def test_a_network_that_does_not_fit_says_how_many_chips_it_takes() -> None:
    with pytest.raises(UnsupportedOp, match="chips=2"):
        evaluate("alexnet", "reram_pim")
    assert evaluate("alexnet", chip("reram_pim", chips=2)).totals.area_m2 == pytest.approx(2 * 85.4e-6)


def test_products_of_two_activations_are_refused() -> None:
    with pytest.raises(UnsupportedOp, match="too slow to write"):
        evaluate("vit_b16", "reram_pim")


@pytest.mark.parametrize(
    ("values", "form"), [([-1], UINT8), ([256], UINT8), ([-129], INT8), ([0], BINARY), ([2, -2], TERNARY)]
)
def test_inputs_outside_their_format_are_refused(values: list[int], form: NumberFormat) -> None:
    """A negative input has no levels of its own: without a sign in its format it would wrap."""
    for preset in ("isaac", "binary"):
        with pytest.raises(InputError, match=r"inputs from .* do not fit"):
            input_digits(np.array([values]), form, PRESETS[preset])


def test_weights_outside_their_format_are_refused() -> None:
    with pytest.raises(InputError, match="do not fit"):
        store(np.array([[128]]), INT8, PRESETS["isaac"])


@pytest.mark.parametrize(
    ("knob", "value"), [("cell_bits", 0), ("adc_bits", 99), ("dac_bits", 9), ("read_cycle_s", 0)]
)
def test_knobs_out_of_range(knob: str, value: float) -> None:
    with pytest.raises(DesignError, match=knob):
        chip("reram_pim", **{knob: value})


def test_binary_products_agree() -> None:
    design, rng = PRESETS["binary"], np.random.default_rng(3)
    vectors, weights = draw(BINARY, (5, 300), rng), draw(BINARY, (300, 70), rng)
    assert np.array_equal(product(vectors, weights, BINARY, BINARY, design), vectors @ weights)
    report = evaluate("vgg_small_bnn", chip("reram_pim:binary"))
    assert report.totals.macs > 0


def test_energy_of_the_figures_is_that_of_the_report() -> None:
    report = evaluate("vgg_small_bnn", "reram_pim:binary")
    assert report.figures["active_j"] == pytest.approx(report.totals.energy_j, rel=1e-9)
    expected = 2 * report.totals.macs / report.totals.energy_j
    assert report.figures["active_operations_per_j"] == pytest.approx(expected, rel=1e-9)


def test_the_published_relation_of_superconducting_to_resistive_crossbars() -> None:
    """SupeRBNN states 7.8e4 times the efficiency of a ReRAM BNN; ours is within a factor of ten."""
    found = [
        evaluate("vgg_small_bnn", chip).figures["active_operations_per_j"]
        for chip in ("aqfp_bnn", "reram_pim:binary")
    ]
    assert 0.1 < (found[0] / found[1]) / 7.8e4 < 10


@pytest.mark.parametrize("change", [{"adc_bits": 10}, {"dac_bits": 2, "adc_bits": 10}, {"array_rows": 64}])
def test_scaled_prices_rest_on_an_assumption_that_they_name(change: dict[str, int]) -> None:
    published = {
        (row.unit, row.action): row.energy for row in ACCELERATOR.datasheet(PRESETS["isaac"]).actions
    }
    assert all(energy is None or energy.kind != "assumed" for energy in published.values())
    scaled = [row.energy for row in ACCELERATOR.datasheet(PRESETS["isaac"].model_copy(update=change)).actions]
    assumed = [energy for energy in scaled if energy is not None and energy.kind == "assumed"]
    assert assumed
    assert all(any("_of_other_" in key for key in energy.uses) for energy in assumed)
