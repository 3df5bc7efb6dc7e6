"""Full precision before and behind the binary layers is left to a host; what lies between is refused."""

from __future__ import annotations

import pytest

import hwsim
from hwsim.errors import UnsupportedOp
from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import BINARY, FLOAT32


def test_first_and_last_layer_run_on_a_host() -> None:
    report = hwsim.evaluate("vgg_small_bnn", "aqfp_bnn")
    assert report.totals.macs == 603_979_776
    assert any("conv0, bn0, sign0, fc" in line for line in report.warnings)


def test_a_network_without_binary_layers_is_refused() -> None:
    with pytest.raises(UnsupportedOp, match="crossbars hold binary weights"):
        hwsim.evaluate("lenet5", "aqfp_bnn")


def test_what_lies_between_binary_layers_is_not_left_to_a_host() -> None:
    b = GraphBuilder("between", format=FLOAT32)
    x = b.input("x", (1, 8), format=BINARY)
    x = b.add("gemm", [x, b.weight("w", (8, 8), format=BINARY)], name="first", format=FLOAT32)
    x = b.add("elementwise", b.softmax(x, name="soft"), name="sign", function="sign", format=BINARY)
    b.output(b.add("gemm", [x, b.weight("v", (8, 4), format=BINARY)], name="second", format=FLOAT32))
    with pytest.raises(UnsupportedOp, match=r"between\.soft"):
        hwsim.evaluate(b.build(), "aqfp_bnn")


def test_inputs_are_prepared_and_classes_read_out_on_a_host() -> None:
    b = GraphBuilder("ends", format=FLOAT32)
    x = b.add("elementwise", b.input("x", (1, 8)), name="bits", function="sign", format=BINARY)
    x = b.add("gemm", [x, b.weight("w", (8, 4), format=BINARY)], name="only", format=FLOAT32)
    b.output(b.softmax(b.batch_norm(x, name="scale"), name="soft"))
    report = hwsim.evaluate(b.build(), "aqfp_bnn")
    assert report.totals.macs == 32
    assert any("on this chip: bits, scale, soft" in line for line in report.warnings)


def test_perceptrons_scale_their_classes_on_a_host() -> None:
    report = hwsim.evaluate("mlp_tfc_bnn", "aqfp_bnn")
    assert report.totals.macs == 59_008
    assert any("on this chip: bn4" in line for line in report.warnings)


def test_residual_sums_between_binary_layers_are_refused() -> None:
    with pytest.raises(UnsupportedOp, match=r"layer1\.0\.add") as raised:
        hwsim.evaluate("resnet20_bnn", "aqfp_bnn")
    assert "avgpool" in str(raised.value)
    assert "conv1:" not in str(raised.value)
