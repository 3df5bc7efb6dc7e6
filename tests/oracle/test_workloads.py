"""Layers, MACs and parameters of the built-in networks against published and independently derived rows.

1 MAC = one multiply and one add; convolutions, linear layers, recurrent cells and attention products count,
batch 1. Parameters are weights, biases, and scale and shift of normalizations.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import onnx
import pytest

import workloads
from hwsim.graph.ops import work_of
from hwsim.graph.types import Graph, Op, Role
from workloads.types import Workload


@dataclass(frozen=True)
class Row:
    """What a network of the given name and knobs must come to."""

    name: str
    convolutions: int
    linear: int
    macs: int
    parameters: int
    attention_macs: int = 0
    cells: int = 0
    knobs: dict[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return "-".join([self.name, *(f"{knob}={value}" for knob, value in self.knobs.items())])


CONVOLUTIONAL = [
    Row("alexnet", 5, 3, 714_188_480, 61_100_840),
    Row("vgg16", 13, 3, 15_470_264_320, 138_357_544),
    Row("vgg_small", 6, 1, 607_600_640, 4_660_106),
    Row("resnet18", 20, 1, 1_814_073_344, 11_689_512),
    Row("resnet34", 36, 1, 3_663_761_408, 21_797_672),
    Row("resnet50", 53, 1, 4_089_184_256, 25_557_032),
    Row("resnet101", 104, 1, 7_801_405_440, 44_549_160),
    Row("resnet152", 155, 1, 11_513_626_624, 60_192_808),
    Row("resnet18_cifar", 20, 1, 555_422_720, 11_173_962),
    Row("resnet20_cifar", 19, 1, 40_551_040, 269_722),
    Row("resnet32_cifar", 31, 1, 68_862_592, 464_154),
    Row("resnet56_cifar", 55, 1, 125_485_696, 853_018),
    Row("mobilenet_v1", 27, 1, 568_740_352, 4_231_976),
    Row("mobilenet_v1", 27, 1, 418_121_728, 4_231_976, knobs={"image_size": 192}),
    Row("mobilenet_v1_192", 27, 1, 418_121_728, 4_231_976),
    Row("mobilenet_v1_075", 27, 1, 325_400_448, 2_585_560),
    Row("mobilenet_v1_050", 27, 1, 149_497_088, 1_331_592),
    Row("mobilenet_v1_025", 27, 1, 41_030_272, 470_072),
    Row("mobilenet_v1_025_96", 27, 1, 7_489_664, 213_586),
    Row("mobilenet_v2", 52, 1, 300_774_272, 3_504_872),
    Row("mobilenet_v2_140", 52, 1, 582_195_824, 6_108_776),
    Row("mobilenet_v2_050", 52, 1, 97_131_840, 1_968_680),
    Row("mobilenet_v2_035_144", 52, 1, 23_499_152, 750_280),
]

TRANSFORMERS = [
    Row("deit_tiny", 1, 49, 1_253_683_200, 5_717_416, 178_831_872),
    Row("deit_small", 1, 49, 4_598_882_304, 22_050_664, 357_663_744),
    Row("vit_b16", 1, 49, 17_563_828_224, 86_567_656, 715_327_488),
    Row("bert_base", 0, 73, 11_174_215_680, 109_482_240, 301_989_888),
    Row("bert_base", 0, 73, 35_333_406_720, 109_482_240, 2_717_908_992, knobs={"sequence_length": 384}),
    Row("bert_base", 0, 73, 48_318_971_904, 109_482_240, 4_831_838_208, knobs={"sequence_length": 512}),
    Row("bert_large", 0, 145, 39_461_060_608, 335_141_888, 805_306_368),
    Row("distilbert", 0, 36, 5_586_812_928, 66_362_880, 150_994_944),
    Row("bert_tiny", 0, 13, 58_736_640, 4_385_920, 8_388_608),
]

# MACs of one token; the word model's 3,732,400 parameters leave out its table of 10,000 x 300.
LANGUAGE = [
    Row("lstm_ptb_char", 0, 1, 4_250_000, 4_258_050, cells=1),
    Row("lstm_ptb_word", 0, 1, 3_720_000, 3_732_400 + 3_000_000, cells=1),
    Row("lstm_ptb_medium", 0, 1, 13_260_000, 19_780_400, cells=2),
    Row("lstm_ptb_large", 0, 1, 51_000_000, 66_034_000, cells=2),
]

# Widely quoted parameter counts from memory (recalled-high); MACs written out from the shapes.
RECALLED = [
    # Five convolutions with two groups, then 9216*4096 + 4096*4096 + 4096*1000.
    Row("alexnet_caffe", 5, 3, 665_784_864 + 58_621_952, 60_965_224),
    # 4224 channels are normalized; convolution biases become shifts.
    Row("vgg16_bn", 13, 3, 15_470_264_320, 138_357_544 + 4224),
    # Per token 12 layers x 12 x 768^2 and a tied output of 50257 x 768; attention 12 x 2 x 1024^2 x 768.
    Row(
        "gpt2_small",
        0,
        49,
        1024 * (12 * 12 * 768**2 + 50_257 * 768) + 12 * 2 * 1024**2 * 768,
        124_439_808,
        12 * 2 * 1024**2 * 768,
    ),
    Row(
        "gpt2_small_decode",
        0,
        49,
        12 * 12 * 768**2 + 50_257 * 768 + 12 * 2 * 1024 * 768,
        124_439_808,
        12 * 2 * 1024 * 768,
    ),
    Row(
        "gpt2_medium",
        0,
        97,
        1024 * (24 * 12 * 1024**2 + 50_257 * 1024) + 24 * 2 * 1024**3,
        354_823_168,
        24 * 2 * 1024**3,
    ),
    Row("mlp_mnist", 0, 3, 784 * 512 + 512 * 512 + 512 * 10, 669_706),
    Row("mlp_mnist_100_200", 0, 3, 100_400, 100_710),
    Row("mlp_mnist_300_600", 0, 3, 421_200, 422_110),
    Row("mlp_lenet_300_100", 0, 3, 784 * 300 + 300 * 100 + 100 * 10, 266_610),
]

# torchvision's metadata, MACs in units of 1e9 with three decimals, from memory (recalled-high).
PRINTED = [
    ("googlenet", 57, "1.498", 6_624_904),
    ("vgg11", 8, "7.609", 132_863_336),
    ("vgg13", 10, "11.308", 133_047_848),
    ("resnext50_32x4d", 53, "4.230", 25_028_904),
    ("wide_resnet50_2", 53, "11.398", 68_883_240),
]

# Networks inside the onnx package; MACs measured there, parameters without normalizations there too.
ONNX_TEST_DATA = [
    Row("alexnet_caffe", 5, 3, 654_560_384, 60_965_224, knobs={"image_size": 224}),
    Row("vgg19", 16, 3, 19_632_062_464, 143_667_240),
    Row("googlenet_onnx", 57, 1, 1_431_556_352, 6_998_552),
]


def build(name: str, knobs: dict[str, object] | None = None) -> Graph:
    """Return the network `name` out of whichever family has it."""
    for module in pkgutil.iter_modules(workloads.__path__):
        if module.ispkg:
            families: tuple[Workload[Any], ...] = importlib.import_module(
                f"workloads.{module.name}"
            ).WORKLOADS
            for family in families:
                if name in family.presets:
                    return family.graph(name, knobs)
    raise LookupError(name)


def _macs(graph: Graph) -> int:
    return sum(work_of(graph, op).macs for op in graph.ops)


def _has_weight(graph: Graph, op: Op) -> bool:
    return any(tensor is not None and tensor.role is Role.WEIGHT for tensor in graph.operands(op))


def _is_linear(graph: Graph, op: Op) -> bool:
    return op.kind in ("gemm", "matmul") and _has_weight(graph, op)


def _is_attention(graph: Graph, op: Op) -> bool:
    return op.kind == "matmul" and not _has_weight(graph, op)


@pytest.mark.parametrize("row", CONVOLUTIONAL + TRANSFORMERS + RECALLED + ONNX_TEST_DATA, ids=str)
def test_counts_equal_the_row_to_the_last_digit(row: Row) -> None:
    graph = build(row.name, row.knobs)
    assert sum(op.kind == "convolution" for op in graph.ops) == row.convolutions
    assert sum(_is_linear(graph, op) for op in graph.ops) == row.linear
    assert _macs(graph) == row.macs
    assert sum(work_of(graph, op).macs for op in graph.ops if _is_attention(graph, op)) == row.attention_macs
    assert graph.parameters == row.parameters


@pytest.mark.parametrize("steps", [1, 35])
@pytest.mark.parametrize("row", LANGUAGE, ids=str)
def test_language_models_cost_the_row_at_every_token(row: Row, steps: int) -> None:
    graph = build(row.name, {"sequence_length": steps})
    assert sum(op.kind == "lstm" for op in graph.ops) == row.cells
    assert sum(_is_linear(graph, op) for op in graph.ops) == row.linear
    assert _macs(graph) == row.macs * steps
    assert graph.parameters == row.parameters


@pytest.mark.parametrize(
    ("name", "weights"),
    [
        ("lstm_ptb_char", 4_200_000),
        ("lstm_ptb_word", 720_000),
        ("lstm_smnist", 40_400),
    ],
)
def test_cells_hold_the_published_number_of_weights(name: str, weights: int) -> None:
    graph = build(name)
    cell = next(op for op in graph.ops if op.kind == "lstm")
    assert sum(graph.tensors[operand].elements for operand in cell.inputs[1:3]) == weights


@pytest.mark.parametrize(
    ("name", "elements", "printed"),
    [
        ("resnet18", 2_483_712, "2.48"),
        ("resnet50", 11_113_984, "11.11"),
        ("mobilenet_v2", 6_678_112, "6.68"),
        ("mobilenet_v1", 5_042_688, "5.04"),
    ],
)
def test_convolution_outputs_sum_to_the_activation_traffic(name: str, elements: int, printed: str) -> None:
    graph = build(name)
    convolutions = [op for op in graph.ops if op.kind == "convolution"]
    linear = [op for op in graph.ops if _is_linear(graph, op)]
    traffic = sum(graph.tensors[op.outputs[0]].elements for op in convolutions)
    # timm's millions (infer_macts; MobileNetV1 derived) hold with and without the classifier's 1000 outputs.
    logits = sum(graph.tensors[op.outputs[0]].elements for op in linear)
    assert (traffic, logits) == (elements, 1000)
    assert [f"{total / 1e6:.2f}" for total in (traffic, traffic + logits)] == [printed, printed]


@pytest.mark.parametrize(
    ("file", "name", "knobs"),
    [
        ("bvlc_alexnet", "alexnet_caffe", {"image_size": 224}),
        ("vgg19", "vgg19", {}),
        ("inception_v1", "googlenet_onnx", {}),
        ("resnet50", "resnet50", {}),
    ],
)
def test_contractions_equal_those_of_the_onnx_package(file: str, name: str, knobs: dict[str, object]) -> None:
    graph = build(name, knobs)
    ours = sorted(
        (op.kind, graph.tensors[op.inputs[1]].shape, graph.tensors[op.outputs[0]].shape)
        for op in graph.ops
        if op.kind in ("convolution", "gemm")
    )
    assert ours == _onnx_contractions(file)


def _onnx_contractions(file: str) -> list[tuple[str, tuple[int, ...], tuple[int, ...]]]:
    """Return kind, weight shape and output shape of every Conv and Gemm, by ONNX's own shape inference."""
    root = Path(onnx.__file__).parent / "backend/test/data/light"
    model = onnx.shape_inference.infer_shapes(
        onnx.load(root / f"light_{file}.onnx"), strict_mode=True, data_prop=True
    ).graph
    shapes = {
        value.name: tuple(size.dim_value for size in value.type.tensor_type.shape.dim)
        for value in (*model.input, *model.value_info, *model.output)
    }
    kinds = {"Conv": "convolution", "Gemm": "gemm"}
    return sorted(
        (kinds[node.op_type], shapes[node.input[1]], shapes[node.output[0]])
        for node in model.node
        if node.op_type in kinds
    )


def test_convolutions_of_grouped_alexnet_match_the_layers_chips_report() -> None:
    graph = build("alexnet_caffe")
    macs = [work_of(graph, op).macs for op in graph.ops if op.kind == "convolution"]
    assert macs == [105_415_200, 223_948_800, 149_520_384, 112_140_288, 74_760_192]


def test_stride_in_the_first_convolution_saves_macs_and_no_parameters() -> None:
    later, earlier = build("resnet50"), build("resnet50", {"stride_in_first": True})
    # A 1x1 from 2w to w channels runs on a quarter of the map, in each of three transitions.
    saved = sum(3 * 2 * width * width * (size // 2) ** 2 for width, size in ((128, 56), (256, 28), (512, 14)))
    assert _macs(later) - _macs(earlier) == saved
    assert later.parameters == earlier.parameters


@pytest.mark.parametrize(("name", "convolutions", "printed", "parameters"), PRINTED)
def test_macs_equal_the_printed_figure(name: str, convolutions: int, printed: str, parameters: int) -> None:
    graph = build(name)
    assert sum(op.kind == "convolution" for op in graph.ops) == convolutions
    assert f"{_macs(graph) / 1e9:.3f}" == printed
    assert graph.parameters == parameters


@pytest.mark.parametrize(
    "name", ["resnet18", "mobilenet_v2", "bert_tiny", "deit_tiny", "lstm_ptb_word", "mlp_mnist"]
)
def test_batch_multiplies_macs_and_leaves_parameters(name: str) -> None:
    one, four = (build(name, {"batch": batch}) for batch in (1, 4))
    assert _macs(four) == 4 * _macs(one)
    assert one.parameters == four.parameters
