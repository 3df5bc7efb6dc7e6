"""Export the graph-only ONNX fixtures of this folder and count them in torch; run by hand, never by tests.

    python export_fixtures.py                  every fixture, plus counts.json
    python export_fixtures.py gpt2_lm swin_t   only these; counts.json keeps the other rows
    python export_fixtures.py --out DIR        somewhere else (to compare with the committed files)

README.md says what to install and what the files mean.
"""

from __future__ import annotations

import argparse
import io
import json
import logging
import math
import os
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

# Nothing is downloaded: every network is built from its class, and this makes a slip an error.
os.environ["HF_HUB_OFFLINE"] = "1"

import onnx
import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

SEED = 20240229
# Float initializers above this size are weights; up to it they are scalars, clip bounds or resize scales.
KEEP_FLOATS = 4
# The value the light models inside the onnx package use; not zero, so that no simplifier drops an addition.
FILL = 0.02
SIZE_LIMIT_BYTES = 300_000
TOKENS = 128
BERT_IN = ("input_ids", "attention_mask", "token_type_ids")
BERT_OUT = ("last_hidden_state", "pooler_output")

Inputs = tuple[torch.Tensor, ...]
Builder = Callable[[], tuple[nn.Module, Inputs]]


@dataclass(frozen=True, slots=True)
class Fixture:
    """One network, how it is exported and what its tensors are called."""

    name: str
    network: str
    build: Builder
    exporter: str
    opset: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    batch_norm: str = "none"
    dynamic_axes: dict[str, dict[int, str]] = field(default_factory=dict)
    compact: bool = False


class PickOutputs(nn.Module):
    """Call a transformers model with named tensors and return chosen fields of its output object."""

    def __init__(self, model: nn.Module, takes: tuple[str, ...], gives: tuple[str, ...]) -> None:
        super().__init__()
        self.model = model
        self.takes = takes
        self.gives = gives

    def forward(self, *args: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return the fields `gives` of the wrapped model's output."""
        found = self.model(**dict(zip(self.takes, args, strict=True)))
        return tuple(getattr(found, name) for name in self.gives)


def torchvision_network(name: str) -> Builder:
    """Return a builder of a torchvision classifier on one 224 x 224 image."""

    def build() -> tuple[nn.Module, Inputs]:
        import torchvision

        model = getattr(torchvision.models, name)(weights=None)
        return model, (torch.zeros(1, 3, 224, 224),)

    return build


def bert_base() -> tuple[nn.Module, Inputs]:
    """Build BERT-base (uncased sizes, with pooler) and its three inputs of 128 tokens."""
    import transformers

    model = transformers.BertModel(transformers.BertConfig(attn_implementation="eager"))
    ids = torch.zeros(1, TOKENS, dtype=torch.int64)
    return PickOutputs(model, BERT_IN, BERT_OUT), (ids, ids + 1, ids.clone())


def gpt2_small(head: bool) -> Builder:
    """Return a builder of GPT-2 small on 128 tokens, without a key-value cache."""

    def build() -> tuple[nn.Module, Inputs]:
        import transformers

        config = transformers.GPT2Config(attn_implementation="eager", use_cache=False)
        model = (transformers.GPT2LMHeadModel if head else transformers.GPT2Model)(config)
        ids = torch.zeros(1, TOKENS, dtype=torch.int64)
        return PickOutputs(model, ("input_ids",), ("logits" if head else "last_hidden_state",)), (ids,)

    return build


def recurrent(kind: type[nn.RNNBase], batch: int, **options: int | bool) -> Builder:
    """Return a builder of a recurrent stack on 16 steps, laid out (step, batch, feature)."""

    def build() -> tuple[nn.Module, Inputs]:
        model = kind(**options)
        return model, (torch.zeros(16, batch, model.input_size),)

    return build


LSTM_OUT = ("output", "h_n", "c_n")
BATCH_AXIS = {"input": {0: "batch"}, "output": {0: "batch"}}
LSTM_2 = recurrent(nn.LSTM, 1, input_size=32, hidden_size=64, num_layers=2)
GRU_BI = recurrent(nn.GRU, 3, input_size=24, hidden_size=40, bidirectional=True)
RNN_TANH = recurrent(nn.RNN, 2, input_size=20, hidden_size=48)

FIXTURES = (
    Fixture("resnet18", "torchvision resnet18", torchvision_network("resnet18"),
            "legacy", 17, ("input",), ("output",), "folded"),
    Fixture("resnet18_dynamic", "torchvision resnet18", torchvision_network("resnet18"),
            "legacy", 17, ("input",), ("output",), "folded", BATCH_AXIS),
    Fixture("mobilenet_v2", "torchvision mobilenet_v2", torchvision_network("mobilenet_v2"),
            "legacy", 17, ("input",), ("output",), "nodes"),
    Fixture("alexnet", "torchvision alexnet", torchvision_network("alexnet"),
            "dynamo", 20, ("input",), ("output",)),
    Fixture("shufflenet_v2", "torchvision shufflenet_v2_x1_0", torchvision_network("shufflenet_v2_x1_0"),
            "legacy", 17, ("input",), ("output",), "folded"),
    Fixture("vit_b_16", "torchvision vit_b_16", torchvision_network("vit_b_16"),
            "dynamo", 20, ("input",), ("output",)),
    Fixture("swin_t", "torchvision swin_t", torchvision_network("swin_t"),
            "legacy", 17, ("input",), ("output",), compact=True),
    Fixture("bert_base", "transformers BertModel(BertConfig()), with pooler", bert_base,
            "dynamo", 20, BERT_IN, BERT_OUT),
    Fixture("gpt2", "transformers GPT2Model(GPT2Config()), no head", gpt2_small(head=False),
            "dynamo", 20, ("input_ids",), ("last_hidden_state",)),
    Fixture("gpt2_lm", "transformers GPT2LMHeadModel(GPT2Config()), head tied to the embedding",
            gpt2_small(head=True), "dynamo", 20, ("input_ids",), ("logits",)),
    Fixture("lstm_2layer", "nn.LSTM(32, 64, num_layers=2)", LSTM_2, "legacy", 17, ("input",), LSTM_OUT),
    Fixture("lstm_2layer_dynamo", "nn.LSTM(32, 64, num_layers=2)", LSTM_2,
            "dynamo", 20, ("input",), LSTM_OUT),
    Fixture("gru_bidirectional", "nn.GRU(24, 40, bidirectional=True)", GRU_BI,
            "legacy", 17, ("input",), ("output", "h_n")),
    Fixture("rnn", "nn.RNN(20, 48)", RNN_TANH, "legacy", 17, ("input",), ("output", "h_n")),
)


def declare_missing_torchvision_operators() -> torch.library.Library | None:
    """Declare nms and qnms if torchvision's compiled operators do not load; keep the returned object alive.

    torchvision registers fake kernels for these two at import and fails with "operator torchvision::nms does
    not exist" beside a CPU-only torch. No network here uses them.
    """
    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        return library
    return None


def make_weights_distinct(model: nn.Module) -> None:
    """Fill weights and running statistics with random numbers.

    Both exporters merge initializers of equal value: untrained batch norms and biases would come out shared.
    """
    torch.manual_seed(SEED)
    with torch.no_grad():
        for weight in model.parameters():
            weight.uniform_(-0.1, 0.1)
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.uniform_(-0.1, 0.1)
                module.running_var.uniform_(0.5, 1.5)


def export(fixture: Fixture, model: nn.Module, inputs: Inputs) -> onnx.ModelProto:
    """Run the exporter the fixture asks for and return its raw model, weights included."""
    common = {"input_names": list(fixture.inputs), "output_names": list(fixture.outputs),
              "opset_version": fixture.opset}
    if fixture.exporter == "dynamo":
        with sdpa_kernel(SDPBackend.MATH):
            program = torch.onnx.export(model, inputs, dynamo=True, external_data=False, verbose=False,
                                        **common)
        return program.model_proto
    # EVAL folds batch norm into the convolutions; PRESERVE, with the model in eval mode, keeps the nodes.
    mode = torch.onnx.TrainingMode.PRESERVE if fixture.batch_norm == "nodes" else torch.onnx.TrainingMode.EVAL
    buffer = io.BytesIO()
    torch.onnx.export(model, inputs, buffer, dynamo=False, training=mode,
                      dynamic_axes=fixture.dynamic_axes or None, **common)
    return onnx.load_from_string(buffer.getvalue())


def strip_weights(graph: onnx.GraphProto) -> int:
    """Turn float initializers above KEEP_FLOATS elements into ConstantOfShape nodes; count their elements.

    One node per weight (so that counts stay right), one shape initializer per distinct shape. A tensor of
    one repeated value is no weight (weights are random here) but a constant such as a zero initial state: it
    keeps its value and is not counted.
    """
    kept, shapes, nodes, elements = [], {}, [], 0
    for tensor in graph.initializer:
        size = math.prod(tensor.dims)
        if tensor.data_type != onnx.TensorProto.FLOAT or size <= KEEP_FLOATS:
            kept.append(tensor)
            continue
        dims = list(tensor.dims)
        shape_name = "shape_" + "x".join(map(str, dims))
        shapes[shape_name] = onnx.helper.make_tensor(shape_name, onnx.TensorProto.INT64, [len(dims)], dims)
        values = onnx.numpy_helper.to_array(tensor).reshape(-1)
        is_weight = bool((values != values[0]).any())
        fill = FILL if is_weight else values[0]
        value = onnx.helper.make_tensor("value", onnx.TensorProto.FLOAT, [1], [fill])
        nodes.append(onnx.helper.make_node("ConstantOfShape", [shape_name], [tensor.name], value=value))
        elements += size if is_weight else 0
    nodes.extend(graph.node)
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend([*kept, *shapes.values()])
    graph.node.extend(nodes)
    return elements


def tidy(fixture: Fixture, model: onnx.ModelProto) -> None:
    """Drop what no importer needs: doc strings, stack traces and, in legacy files, value_info."""
    graph = model.graph
    del model.metadata_props[:], graph.metadata_props[:]
    model.doc_string = graph.doc_string = ""
    graph.name = fixture.name
    if fixture.exporter == "legacy":
        del graph.value_info[:]
    for value in [*graph.input, *graph.output, *graph.value_info, *graph.initializer]:
        value.doc_string = ""
        del value.metadata_props[:]
    for node in graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
        for attribute in node.attribute:
            attribute.doc_string = ""
    if fixture.compact:
        merge_equal_constants(graph)
        shorten_names(graph)


def merge_equal_constants(graph: onnx.GraphProto) -> None:
    """Keep one of every set of equal Constant nodes; the graph must have no subgraphs."""
    first: dict[bytes, str] = {}
    renamed: dict[str, str] = {}
    nodes = []
    for node in graph.node:
        node.input[:] = [renamed.get(name, name) for name in node.input]
        if node.op_type == "Constant":
            value = node.attribute[0].SerializeToString(deterministic=True)
            renamed[node.output[0]] = first.setdefault(value, node.output[0])
            if first[value] != node.output[0]:
                continue
        nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)


def shorten_names(graph: onnx.GraphProto) -> None:
    """Rename inner tensors t0, t1, ... and drop node names; inputs, outputs and weights keep theirs."""
    fixed = {value.name for value in [*graph.input, *graph.output, *graph.initializer]} | {""}
    fixed |= {node.output[0] for node in graph.node if node.input and node.input[0].startswith("shape_")}
    short: dict[str, str] = {}
    for node in graph.node:
        node.name = ""
        for names in (node.input, node.output):
            names[:] = [old if old in fixed else short.setdefault(old, f"t{len(short)}") for old in names]


def count_in_torch(model: nn.Module, inputs: Inputs) -> dict[str, int]:
    """Return MACs per torch operator (FLOPs / 2) as FlopCounterMode sees one eager forward pass on the CPU.

    The math form of attention and recurrent cells without oneDNN are asked for: the fused kernels are
    opaque to the counter.
    """
    quiet = torch.backends.mkldnn.flags(enabled=not isinstance(model, nn.RNNBase))
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), quiet, counter:
        model(*inputs)
    flops = counter.get_flop_counts()["Global"]
    return {str(op): count // 2 for op, count in sorted(flops.items(), key=lambda item: str(item[0]))}


def make(fixture: Fixture) -> tuple[bytes, dict[str, object]]:
    """Build, count, export, strip and check one fixture; return the file and its row of counts.json."""
    model, inputs = fixture.build()
    model.eval()
    make_weights_distinct(model)
    macs = count_in_torch(model, inputs)
    proto = export(fixture, model, inputs)
    elements = strip_weights(proto.graph)
    tidy(fixture, proto)
    onnx.checker.check_model(proto, full_check=True)
    onnx.shape_inference.infer_shapes(proto, check_type=True, strict_mode=True, data_prop=True)
    data = proto.SerializeToString(deterministic=True)
    if len(data) > SIZE_LIMIT_BYTES:
        raise SystemExit(f"{fixture.name}: {len(data)} bytes, limit {SIZE_LIMIT_BYTES}")
    row: dict[str, object] = {
        "network": fixture.network,
        "exporter": fixture.exporter,
        "opset": fixture.opset,
        "batch_norm": fixture.batch_norm,
        "value_info": len(proto.graph.value_info) > 0,
        "inputs": {name: list(tensor.shape) for name, tensor in zip(fixture.inputs, inputs, strict=True)},
        "dynamic_dims": {name: {str(axis): dim for axis, dim in axes.items()}
                         for name, axes in fixture.dynamic_axes.items()},
        "macs": sum(macs.values()),
        "macs_by_torch_operator": macs,
        "parameters": sum(weight.numel() for weight in model.parameters()),
        "onnx_weight_elements": elements,
        "onnx_nodes": len(proto.graph.node),
    }
    return data, row


CONVENTION = {
    "macs": (
        "FLOPs / 2 of torch.utils.flop_counter.FlopCounterMode over one eager forward pass on the CPU "
        "with the input sizes given (dynamic dimensions at that size): convolutions and matrix "
        "products, the two of attention included; no bias, normalization, activation, pooling or "
        "softmax. Recurrent networks: the gate products of every step, those with the zero initial "
        "state included"
    ),
    "parameters": (
        "sum of numel over model.parameters(): weights, biases, normalization scale and shift; tied "
        "weights once; no running statistics"
    ),
    "onnx_weight_elements": (
        "elements of the ConstantOfShape weights (value 0.02) in the file: a property of the file, no "
        "oracle. It differs from parameters where batch norm is folded (a bias per channel in place of "
        "scale and shift), where it is kept as nodes (running statistics are inputs too) and in swin_t "
        "(the exporter stored each position bias gathered)"
    ),
    "batch_norm": (
        "folded: by the exporter, into the convolutions; nodes: BatchNormalization nodes; none: the "
        "network has none"
    ),
}
# These decide what the files look like.
PACKAGES = ("torch", "torchvision", "transformers", "onnx", "onnxscript", "onnx-ir")


def versions() -> dict[str, str]:
    """Return the installed version of each of PACKAGES."""
    from importlib.metadata import version

    return {name: version(name) for name in PACKAGES}


def main() -> None:
    """Write the fixtures asked for and their rows of counts.json."""
    parser = argparse.ArgumentParser(description="Export graph-only ONNX fixtures and count them in torch.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="fixtures to make (default: all)")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder to write to")
    options = parser.parse_args()
    known = {fixture.name: fixture for fixture in FIXTURES}
    if unknown := set(options.names) - set(known):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(known)}")
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    stubs = declare_missing_torchvision_operators()
    # The fused encoder kernel cannot be exported, and the counter does not see its products.
    torch.backends.mha.set_fastpath_enabled(False)
    options.out.mkdir(parents=True, exist_ok=True)
    counts_file = options.out / "counts.json"
    rows = json.loads(counts_file.read_text())["fixtures"] if options.names and counts_file.exists() else {}
    for name in options.names or known:
        data, rows[f"{name}.onnx"] = make(known[name])
        (options.out / f"{name}.onnx").write_bytes(data)
        sys.stdout.write(f"{name}.onnx: {len(data)} bytes, {rows[f'{name}.onnx']['macs']} MACs\n")
        sys.stdout.flush()
    ordered = {f"{name}.onnx": rows[f"{name}.onnx"] for name in known if f"{name}.onnx" in rows}
    document = {"convention": CONVENTION, "made_with": versions(), "fixtures": ordered}
    counts_file.write_text(json.dumps(document, indent=1) + "\n")
    del stubs


if __name__ == "__main__":
    main()
