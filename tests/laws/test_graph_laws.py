"""Laws that hold for every graph: broadcasting, contractions, text, names, passes."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.errors import GraphError, HwsimError
from hwsim.graph import (
    INT4,
    INT8,
    OP_KINDS,
    GraphBuilder,
    Required,
    Role,
    bit_operations,
    drop_identity,
    fingerprint,
    fold_batch_normalization,
    from_text,
    macs,
    matrix_products,
    remove_dead,
    set_precision,
    structure_fingerprint,
    to_text,
    verify_graph,
    work_of,
)
from hwsim.graph.ops.convolution import window_size
from hwsim.graph.ops.kinds import broadcast
from hwsim.graph.ops.vector import ELEMENTWISE, REDUCTIONS
from tests.examples import examples

SHAPES = st.lists(st.integers(1, 4), max_size=4).map(tuple)


@given(st.lists(SHAPES, min_size=1, max_size=3).map(tuple))
def test_broadcast_agrees_with_numpy(shapes):
    try:
        expected = np.broadcast_shapes(*shapes)
    except ValueError:
        with pytest.raises(GraphError, match="do not broadcast"):
            broadcast(shapes)
        return
    assert broadcast(shapes) == expected


@given(st.integers(1, 30), st.integers(1, 6), st.integers(1, 4), st.integers(0, 3), st.integers(0, 3),
       st.integers(1, 3))
def test_window_size_counts_the_positions(size, kernel, stride, begin, end, dilation):
    reach = dilation * (kernel - 1) + 1
    positions = len(range(0, size + begin + end - reach + 1, stride))
    if positions == 0:
        with pytest.raises(GraphError, match="larger than the padded input"):
            window_size(size, kernel, stride, (begin, end), dilation)
        return
    assert window_size(size, kernel, stride, (begin, end), dilation) == positions
    rounded_up = window_size(size, kernel, stride, (begin, end), dilation, ceil=True)
    assert rounded_up <= positions + 1
    if end < reach:  # otherwise a whole window fits into the padding at the end and is left out
        assert rounded_up >= positions


@st.composite
def networks(draw, prefix="", steps=8):
    """Return a random network over one image: convolutions, norms, pools, branches, a head."""
    builder = GraphBuilder("random")
    side = draw(st.integers(5, 9))
    image = (draw(st.integers(1, 2)), draw(st.sampled_from([2, 4])), side, side)
    known = [builder.input(f"{prefix}x", image)]
    for index in range(draw(st.integers(1, steps))):
        x = draw(st.sampled_from(known))
        shape = builder.shape(x)
        choice = draw(st.sampled_from(["conv", "depthwise", "transposed", "norm", "relu", "pool", "identity",
                                       "sum",
                                       "concatenate"]))
        name = f"{prefix}{choice}{index}"
        try:
            if choice == "conv":
                kernel = draw(st.integers(1, 3))
                x = builder.conv(x, draw(st.sampled_from([2, 4])), kernel, stride=draw(st.integers(1, 2)),
                                 padding=draw(st.integers(0, 2)), dilation=draw(st.integers(1, 2)),
                                 bias=draw(st.booleans()), groups=draw(st.integers(1, 2)), name=name)
            elif choice == "depthwise":
                x = builder.conv(x, shape[1], 3, padding=1, groups=shape[1], bias=False, name=name)
            elif choice == "transposed":
                x = builder.conv_transpose(x, 2, 2, stride=draw(st.integers(1, 2)), bias=draw(st.booleans()),
                                           name=name)
            elif choice == "norm":
                x = builder.batch_norm(x, name)
            elif choice == "pool":
                x = builder.max_pool(x, 2, ceil_mode=draw(st.booleans()), name=name)
            elif choice == "identity":
                x = builder.add("identity", x, name=name)
            elif choice == "sum":
                x = builder.sum(x, x, name)
            elif choice == "concatenate":
                x = builder.concatenate([x, x], name=name)
            else:
                x = builder.relu(x, name)
        except HwsimError:
            continue
        known.append(x)
    head = draw(st.sampled_from(known))
    if draw(st.booleans()):
        head = builder.linear(builder.flatten(head, f"{prefix}flat"), 3, name=f"{prefix}head")
    if head == known[0]:
        head = builder.relu(head, f"{prefix}out")
    builder.output(*dict.fromkeys([head, *draw(st.lists(st.sampled_from(known[1:] or [head]), max_size=1))]))
    return remove_dead_weights(builder)


def remove_dead_weights(builder):
    """Return the builder's graph; a refused layer may have left weights that nothing reads."""
    try:
        return builder.build()
    except GraphError as error:
        strays = {problem.where.removeprefix("random.") for problem in error.problems
                  if problem.reason.startswith("dangles")}
        if len(strays) != len(error.problems):
            raise
        for name in strays:
            del builder._tensors[name]
        return builder.build()


def renamed(graph, mapping):
    """Return the graph with every tensor and operator called by another name."""
    names = {name: mapping(name) for name in graph.tensors} | {"": ""}
    tensors = {names[name]: replace(tensor, name=names[name]) for name, tensor in graph.tensors.items()}
    ops = tuple(replace(op, name=mapping(op.name), inputs=tuple(names[n] for n in op.inputs),
                        outputs=tuple(names[n] for n in op.outputs)) for op in graph.ops)
    return replace(graph, tensors=tensors, ops=ops, inputs=tuple(names[n] for n in graph.inputs),
                   outputs=tuple(names[n] for n in graph.outputs))


@given(networks())
def test_products_add_up_to_the_macs(graph):
    for op in graph.ops:
        products = matrix_products(graph, op)
        assert sum(product.macs for product in products) == work_of(graph, op).macs
        for product in products:
            assert product.left_elements <= graph.tensors[product.left].elements
            assert product.left_elements <= product.groups * product.m * product.k
            if graph.tensors[product.right].role is Role.WEIGHT:
                assert product.groups * product.k * product.n == graph.tensors[product.right].elements


@given(networks())
def test_text_goes_round(graph):
    text = to_text(graph)
    assert from_text(text) == graph
    assert to_text(from_text(text)) == text
    assert fingerprint(from_text(text)) == fingerprint(graph)


@given(networks(), st.integers(0, 99))
def test_structure_does_not_depend_on_names(graph, seed):
    order = np.random.default_rng(seed).permutation(len(graph.tensors) + len(graph.ops))
    numbers = {name: int(order[i]) for i,
               name in enumerate({**graph.tensors, **{o.name: o for o in graph.ops}})}
    other = renamed(graph, lambda name: f"n{numbers[name]}")
    verify_graph(other)
    assert structure_fingerprint(other) == structure_fingerprint(graph)
    assert macs(other) == macs(graph)


@given(networks())
def test_folding_keeps_macs_and_results(graph):
    folded = fold_batch_normalization(graph)
    assert macs(folded) == macs(graph)
    assert folded.parameters <= graph.parameters
    assert folded.outputs == graph.outputs
    assert {name: tensor for name, tensor in folded.tensors.items() if name in graph.outputs} == {
        name: graph.tensors[name] for name in graph.outputs}
    before = {op.outputs: op for op in graph.ops}
    for op in folded.ops:
        result = folded.tensors[op.outputs[0]]
        assert op.outputs in before
        assert result.shape == graph.tensors[result.name].shape


@given(networks())
def test_passes_are_idempotent_and_keep_the_work(graph):
    lean = remove_dead(drop_identity(graph))
    assert remove_dead(drop_identity(lean)) == lean
    assert macs(remove_dead(graph)) == macs(lean)
    assert lean.inputs == graph.inputs
    assert [lean.tensors[n].shape for n in lean.outputs] == [graph.tensors[n].shape for n in graph.outputs]
    assert macs(lean) <= macs(graph)


@given(networks())
def test_bit_operations_scale_with_the_bits(graph):
    full = bit_operations(set_precision(graph, weights=INT8, activations=INT8))
    assert full == 64 * macs(graph)
    assert bit_operations(set_precision(graph, weights=INT4, activations=INT8)) * 2 == full


LETTERS = "abcde"


@given(st.lists(st.lists(st.sampled_from(LETTERS), min_size=1, max_size=3, unique=True), min_size=1,
                max_size=3),
       st.fixed_dictionaries({letter: st.integers(1, 4) for letter in LETTERS}), st.data())
def test_einsum_agrees_with_numpy_and_with_its_products(terms, sizes, data):
    used = sorted({letter for term in terms for letter in term})
    result = data.draw(st.lists(st.sampled_from(used), unique=True))
    equation = ",".join("".join(term) for term in terms) + "->" + "".join(result)
    shapes = [tuple(sizes[letter] for letter in term) for term in terms]
    builder = GraphBuilder("g")
    names = [builder.input(f"x{i}", shape) for i, shape in enumerate(shapes)]
    builder.output(builder.add("einsum", names, name="y", equation=equation))
    graph = builder.build()
    assert graph.tensors["y"].shape == np.einsum(equation, *map(np.ones, shapes)).shape
    work = work_of(graph, graph.ops[0])
    assert sum(product.macs for product in matrix_products(graph, graph.ops[0])) == work.macs
    if len(terms) == 2:
        assert work.macs == math.prod(sizes[letter] for letter in used)


@given(SHAPES, SHAPES, st.integers(1, 4), st.sampled_from([(False, False), (True, False), (False, True)]))
def test_matmul_agrees_with_numpy_and_with_its_product(a, b, inner, weights):
    left, right = (*a, inner), (*b[:-1], inner, *b[-1:])
    try:
        expected = np.matmul(np.ones(left), np.ones(right))
    except ValueError:
        expected = None
    builder = GraphBuilder("g")
    names = [builder.weight(name, shape) if weight else builder.input(name, shape)
             for name, shape, weight in zip("ab", (left, right), weights, strict=True)]
    if expected is None:
        with pytest.raises(GraphError):
            builder.matmul(*names)
        return
    builder.output(builder.matmul(*names, name="y"))
    graph = builder.build()
    (product,) = matrix_products(graph, graph.ops[0])
    assert graph.tensors["y"].shape == expected.shape
    assert product.macs == work_of(graph, graph.ops[0]).macs == expected.size * inner
    assert product.groups * product.m * product.n == expected.size
    assert product.right_is_weight == any(weights)


ANYTHING = st.one_of(
    st.integers(-3, 6), st.booleans(), st.floats(allow_nan=False), st.sampled_from(["", "max", "sum", "int8",
                                                                                    "ij->i"]),
    st.lists(st.integers(-2, 4), max_size=6), st.lists(st.sampled_from([1.5, "x", None, True]),
                                                       max_size=2), st.none())
TEXTS = {"function": [*ELEMENTWISE, *REDUCTIONS], "mode": ["nearest", "linear", "constant", "edge"],
         "to": ["int8", "float16"], "equation": ["ij,jk->ik", "i...->...", "ij->ji", "a,b,c->abc", "..."],
         "direction": ["forward", "bidirectional"], "reduction": ["none", "add"]}


@st.composite
def operators(draw):
    """Return a kind with operands and attributes that mostly do not fit, and sometimes do."""
    kind = OP_KINDS[draw(st.sampled_from(sorted(OP_KINDS)))]
    shapes = draw(st.lists(st.one_of(st.none(), st.lists(st.integers(0, 4), max_size=5)),
                           max_size=len(kind.operands) + 1))
    attributes = {}
    for name, default in kind.attributes.items():
        if not draw(st.booleans()) and not isinstance(default, Required):
            continue
        fitting = st.sampled_from(TEXTS[name]) if name in TEXTS else st.one_of(
            st.integers(0, 4), st.lists(st.integers(0, 4), max_size=4))
        attributes[name] = draw(st.one_of(fitting, fitting, ANYTHING))
    return kind, shapes, attributes


def problems_of(build):
    """Return what a GraphError says; nothing when none is raised."""
    try:
        build()
    except GraphError as error:
        return error.problems
    return ()


@examples(400)
@given(operators())
def test_any_operator_is_either_valid_or_refused_in_words(case):
    kind, shapes, attributes = case
    builder = GraphBuilder("g")
    names = ["" if shape is None else builder.input(f"x{i}", shape) for i, shape in enumerate(shapes)]
    problems = problems_of(lambda: builder.output(builder.add(kind.name, names, name="op", **attributes)))
    assert all(problem.where.startswith("g.op") and problem.reason for problem in problems)
    if problems:
        return
    graph = builder.build()
    (op,) = graph.ops
    work = work_of(graph, op)
    counts = (work.macs, work.moved_elements, *work.primitives.values())
    assert all(type(count) is int and count >= 0 for count in counts)
    assert sum(product.macs for product in matrix_products(graph, op)) == work.macs
    assert from_text(to_text(graph)) == graph
