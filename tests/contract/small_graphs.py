"""One tiny network per kind of operator, so that a chip can be asked about every one of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import BINARY, BOOLEAN, FLOAT32, INT8, INT32, INT64, Graph, Shape

Write = Callable[[GraphBuilder], tuple[str, ...]]


def _weighted(kind: str, x: Shape, w: Shape, binary: bool = False, **attributes: object) -> Write:
    """An input and a weight."""

    def write(b: GraphBuilder) -> tuple[str, ...]:
        form = BINARY if binary else FLOAT32
        operands = [b.input("x", x, format=form), b.weight("w", w, format=form)]
        return (b.add(kind, operands, name="op", format=FLOAT32, **attributes),)

    return write


def _plain(kind: str, *shapes: Shape, **attributes: object) -> Write:
    """Inputs of the given shapes, one result."""

    def write(b: GraphBuilder) -> tuple[str, ...]:
        return (
            b.add(kind, [b.input(f"x{i}", shape) for i, shape in enumerate(shapes)], name="op", **attributes),
        )

    return write


def _indexed(
    kind: str, data: Shape, indices: Shape, updates: Shape | None = None, **attributes: object
) -> Write:
    """Data and integer indices that are inputs."""

    def write(b: GraphBuilder) -> tuple[str, ...]:
        operands = [b.input("data", data), b.input("indices", indices, format=INT64)]
        if updates is not None:
            operands.append(b.input("updates", updates))
        return (b.add(kind, operands, name="op", **attributes),)

    return write


def _recurrent(kind: str, gates: int, **attributes: object) -> Write:
    """Five steps, two samples, three features, four hidden, with bias."""

    def write(b: GraphBuilder) -> tuple[str, ...]:
        two = attributes.get("direction") == "bidirectional"
        operands = [
            b.input("x", (5, 2, 3)),
            b.weight("w", (1 + two, gates * 4, 3)),
            b.weight("r", (1 + two, gates * 4, 4)),
            b.weight("b", (1 + two, 2 * gates * 4)),
        ]
        return (b.add(kind, operands, name="op", **attributes),)

    return write


def _normalized(kind: str, x: Shape, parameters: int, **attributes: object) -> Write:
    """An input and `parameters` vectors as long as its channels; the third and fourth are constants."""

    def write(b: GraphBuilder) -> tuple[str, ...]:
        size = (x[1],)
        vectors = [
            b.weight(f"p{i}", size) if i < 2 else b.constant(f"p{i}", size, format=FLOAT32)
            for i in range(parameters)
        ]
        return (b.add(kind, [b.input("x", x), *vectors], name="op", **attributes),)

    return write


def _logic(kind: str, operands: int, **attributes: object) -> Write:
    """Bits in, the first result out."""

    def write(b: GraphBuilder) -> tuple[str, ...]:
        bits = [b.input(f"x{i}", (1,), format=BOOLEAN) for i in range(operands)]
        return (b.add(kind, bits, name="op", **attributes),)

    return write


def _quantized(kind: str) -> Write:
    def write(b: GraphBuilder) -> tuple[str, ...]:
        return (b.add(kind, [b.input("x", (2, 6)), b.constant("scale", (), format=FLOAT32)], name="op"),)

    return write


def _several(kind: str, x: Shape, outputs: int, **attributes: object) -> Write:
    def write(b: GraphBuilder) -> tuple[str, ...]:
        return b.add_many(kind, b.input("x", x), outputs=outputs, name="op", **attributes)

    return write


def _source(kind: str, **attributes: object) -> Write:
    """A kind without operands; its result is read once, because a network needs an input."""

    def write(b: GraphBuilder) -> tuple[str, ...]:
        made = b.add(kind, [], name="op", format=FLOAT32, **attributes)
        return (b.add("elementwise", [b.input("x", (6,)), made], name="sum", function="add"),)

    return write


def _write_variable_nodes(b: GraphBuilder) -> tuple[str, ...]:
    """Two codewords of the (7, 4) Hamming code: three checks of four bits."""
    operands = [b.input("llr", (2, 7)), b.state("messages", (2, 12))]
    return (b.add("variable_nodes", operands, name="op", variables=HAMMING),)


def _write_check_nodes(b: GraphBuilder) -> tuple[str, ...]:
    operands = [b.input("totals", (2, 7)), b.state("messages", (2, 12))]
    return (b.add("check_nodes", operands, name="op", degrees=(4, 4, 4), variables=HAMMING),)


HAMMING = (0, 2, 4, 6, 1, 2, 5, 6, 3, 4, 5, 6)

KINDS: Mapping[str, Write] = {
    "convolution": _weighted("convolution", (2, 4, 6, 5), (6, 2, 3, 3), groups=2, pads=(1, 1, 1, 1)),
    "transposed_convolution": _weighted("transposed_convolution", (1, 4, 3, 3), (4, 2, 3, 3), strides=(2, 2)),
    "binary_convolution": _weighted("binary_convolution", (1, 4, 5, 5), (3, 4, 3, 3), binary=True),
    "matmul": _plain("matmul", (2, 3, 4), (2, 4, 5)),
    "gemm": _weighted("gemm", (3, 7), (7, 5)),
    "binary_matmul": _weighted("binary_matmul", (3, 8), (8, 5), binary=True),
    "einsum": _plain("einsum", (2, 3, 4), (2, 5, 4), equation="bij,bkj->bik"),
    "lstm": _recurrent("lstm", 4),
    "gru": _recurrent("gru", 3),
    "rnn": _recurrent("rnn", 1),
    "elementwise": _plain("elementwise", (2, 6), (2, 6), function="add"),
    "logic_gate": _logic("logic_gate", 2, function="xor"),
    "adder_cell": _logic("adder_cell", 3),
    "quantize": _quantized("quantize"),
    "dequantize": _quantized("dequantize"),
    "batch_normalization": _normalized("batch_normalization", (2, 3, 4), 4),
    "instance_normalization": _normalized("instance_normalization", (2, 3, 4), 2),
    "group_normalization": _normalized("group_normalization", (2, 4, 3), 2, groups=2),
    "layer_normalization": _normalized("layer_normalization", (2, 6), 2),
    "rms_normalization": _normalized("rms_normalization", (2, 6), 1),
    "local_response_normalization": _plain("local_response_normalization", (1, 6, 3, 3), size=3),
    "softmax": _plain("softmax", (3, 5)),
    "max_pool": _plain("max_pool", (1, 2, 6, 6), kernel=(2, 2), strides=(2, 2)),
    "average_pool": _plain("average_pool", (1, 2, 6, 6), kernel=(3, 3), pads=(1, 1, 1, 1)),
    "lp_pool": _plain("lp_pool", (1, 2, 6, 6), kernel=(2, 2)),
    "global_max_pool": _plain("global_max_pool", (1, 3, 4, 4)),
    "global_average_pool": _plain("global_average_pool", (1, 3, 4, 4)),
    "resize": _plain("resize", (1, 2, 3, 3), sizes=(1, 2, 6, 6)),
    "reduce": _plain("reduce", (3, 4), function="sum", axes=(1,)),
    "arg_reduce": _plain("arg_reduce", (3, 4), function="max", axis=1),
    "top_k": _several("top_k", (3, 8), 2, k=2),
    "cumulative_sum": _plain("cumulative_sum", (3, 4), axis=1),
    "offload": _plain("offload", (3, 4), shapes="3x4", moves=1),
    "identity": _plain("identity", (3, 4)),
    "reshape": _plain("reshape", (3, 4), shape=(12,)),
    "transpose": _plain("transpose", (3, 4), permutation=(1, 0)),
    "concatenate": _plain("concatenate", (3, 4), (2, 4), axis=0),
    "slice": _plain("slice", (6, 4), starts=(1,), ends=(5,), axes=(0,)),
    "split": _several("split", (6, 4), 2, axis=0, sizes=(2, 4)),
    "pad": _plain("pad", (3, 4), pads=(1, 0, 0, 2)),
    "expand": _plain("expand", (3, 1), shape=(3, 4)),
    "tile": _plain("tile", (3, 2), repeats=(1, 3)),
    "cast": _plain("cast", (3, 4), to="int8"),
    "depth_to_space": _plain("depth_to_space", (1, 8, 2, 2), block=2),
    "space_to_depth": _plain("space_to_depth", (1, 2, 4, 4), block=2),
    "one_hot": _plain("one_hot", (5,), depth=4),
    "triangle": _plain("triangle", (4, 4)),
    "range": _source("range", length=6),
    "fill": _source("fill", shape=(6,)),
    "memory_accesses": lambda b: (
        b.add(
            "memory_accesses",
            b.state("words", (5,)),
            name="op",
            words=(0, 3, 1, 4, 3),
            writes=(0, 1, 0, 0, 1),
        ),
    ),
    "gather": _indexed("gather", (7, 4), (3,)),
    "gather_elements": _indexed("gather_elements", (4, 5), (2, 5)),
    "gather_nd": _indexed("gather_nd", (4, 5), (3, 2)),
    "scatter_nd": _indexed("scatter_nd", (6, 3), (2, 1), (2, 3)),
    "scatter_elements": _indexed("scatter_elements", (4, 5), (2, 5), (2, 5)),
    "check_nodes": _write_check_nodes,
    "variable_nodes": _write_variable_nodes,
}


def _write_classifier(b: GraphBuilder) -> tuple[str, ...]:
    x = b.relu(b.batch_norm(b.conv(b.input("x", (1, 3, 8, 8)), 8, 3, padding=1)))
    x = b.relu(b.batch_norm(b.conv(x, 8, 3, stride=2, padding=1, groups=8)))
    return (b.softmax(b.linear(b.flatten(b.global_average_pool(x)), 5)),)


def _write_reduced_by_einsum(b: GraphBuilder) -> tuple[str, ...]:
    """An einsum without products, and an elementwise successor."""
    return (b.relu(b.add("einsum", b.input("x", (3, 4)), name="sum", equation="ij->i"), name="relu"),)


def _write_wide_result(b: GraphBuilder) -> tuple[str, ...]:
    """Integers in, sums of full width out."""
    x, w = b.input("x", (4, 8), format=INT8), b.weight("w", (8, 4), format=INT8)
    return (b.add("elementwise", b.add("gemm", [x, w], format=INT32), name="relu", function="relu"),)


def _write_tied(b: GraphBuilder) -> tuple[str, ...]:
    table = b.weight("table", (11, 4))
    x = b.add("gather", [table, b.input("ids", (2, 3), format=INT64)], name="embed")
    return (b.matmul(x, b.transpose(table, (1, 0)), name="logits"),)


def _write_stateful(b: GraphBuilder) -> tuple[str, ...]:
    past = b.state("past", (1, 2, 5, 4))
    keys = b.concatenate([past, b.input("key", (1, 2, 1, 4))], axis=2)
    return b.matmul(b.input("query", (1, 2, 1, 4)), keys, transpose_b=True), keys


def _write_decoder(b: GraphBuilder) -> tuple[str, ...]:
    """One iteration: the checks, then the variables that hear them."""
    llr, before = b.input("llr", (2, 7)), b.state("messages", (2, 12))
    told = b.add("check_nodes", [llr, before], name="checks", degrees=(4, 4, 4), variables=HAMMING)
    return (b.add("variable_nodes", [llr, told], name="variables", variables=HAMMING),)


def _write_binary_layers(b: GraphBuilder) -> tuple[str, ...]:
    """A binary convolution, a normalization and a sign; then a wider activation behind a binary layer."""
    x, w = b.input("x", (2, 3, 6, 6), format=BINARY), b.weight("w", (4, 3, 3, 3), format=BINARY)
    x = b.batch_norm(b.add("convolution", [x, w], name="conv", format=FLOAT32, pads=(1, 1, 1, 1)), "bn")
    x = b.flatten(b.add("elementwise", x, name="sign", function="sign", format=BINARY), "flatten")
    v = b.weight("v", (5, 144), format=BINARY)
    x = b.batch_norm(b.add("gemm", [x, v], name="fc", format=FLOAT32, trans_b=True), "bn2")
    return (b.add("quantize", [x, b.constant("step", (), format=FLOAT32)], name="levels"),)


VARIANTS: Mapping[str, Write] = {
    "convolution_1d": _weighted("convolution", (1, 2, 9), (3, 2, 4), strides=(3,), dilations=(2,)),
    "convolution_3d": _weighted("convolution", (1, 2, 3, 4, 5), (3, 2, 2, 2, 2)),
    "convolution_depthwise": _weighted("convolution", (1, 4, 6, 6), (8, 1, 3, 3), groups=4),
    "convolution_padded_beyond": _weighted("convolution", (1, 1, 2, 2), (1, 1, 2, 2), pads=(3, 3, 3, 3)),
    "convolution_strided_over": _weighted("convolution", (1, 1, 9, 9), (1, 1, 1, 1), strides=(4, 4)),
    "transposed_convolution_sparse": _weighted(
        "transposed_convolution", (1, 2, 3, 3), (2, 2, 1, 1), strides=(3, 3)
    ),
    "transposed_convolution_padded": _weighted(
        "transposed_convolution",
        (1, 2, 3, 3),
        (2, 2, 3, 3),
        strides=(2, 2),
        output_pads=(1, 1),
        pads=(1, 1, 1, 1),
    ),
    "gemm_transposed": _weighted("gemm", (7, 3), (5, 7), trans_a=True, trans_b=True),
    "matmul_weight_left": lambda b: (b.matmul(b.weight("w", (5, 4)), b.input("x", (3, 4, 2))),),
    "matmul_vectors": _plain("matmul", (4,), (4,)),
    "matmul_broadcast": _plain("matmul", (2, 1, 3, 4), (5, 4, 2)),
    "einsum_three": _plain("einsum", (2, 3), (3, 4), (4, 5), equation="ij,jk,kl->il"),
    "einsum_outer": _plain("einsum", (3,), (4,), equation="i,j->ij"),
    "einsum_sum": _plain("einsum", (3, 4), equation="ij->i"),
    "einsum_sum_then_relu": _write_reduced_by_einsum,
    "lstm_bidirectional": _recurrent("lstm", 4, direction="bidirectional"),
    "gru_after_reset": _recurrent("gru", 3, linear_before_reset=True),
    "elementwise_broadcast": _plain("elementwise", (2, 1, 6), (4, 1), function="multiply"),
    "classifier": _write_classifier,
    "wide_result": _write_wide_result,
    "tied_table": _write_tied,
    "growing_cache": _write_stateful,
    "decoder": _write_decoder,
    "binary_layers": _write_binary_layers,
}


def small_graph(name: str) -> Graph:
    """Return the tiny network `name` of `KINDS` or `VARIANTS`."""
    build = GraphBuilder(name)
    for result in {**KINDS, **VARIANTS}[name](build):
        build.output(result)
    return build.build()
