"""The text form and the fingerprints."""

import pickle
from dataclasses import replace

import pytest

from hwsim.errors import GraphError
from hwsim.graph import (
    INT8,
    GraphBuilder,
    Phase,
    Sparsity,
    SparsityPattern,
    Storage,
    fingerprint,
    from_text,
    structure_fingerprint,
    to_text,
)

TEXT = """hwsim graph 1
graph "small"
provenance "file" "a \\"quoted\\" name"
tensor "x" input float32 [1, 4]
tensor "fc.weight" weight int8 [2, 4] {"density": 0.5, "group": [2, 4], \
"index_bits": 2, "pattern": "n_of_m", "storage": "coordinate"}
tensor "fc" activation float32 [1, 2]
op "fc" gemm ["x", "fc.weight"] -> ["fc"] \
{"alpha": 1.0, "beta": 1.0, "trans_a": false, "trans_b": true} \
{"origin": "Gemm", "phase": "update", "probability": 0.25}
inputs ["x"]
outputs ["fc"]
"""


def small(**names):
    call = {"x": "x", "w": "fc.weight", "y": "fc"} | names
    builder = GraphBuilder("small", provenance={"file": 'a "quoted" name'})
    sparsity = Sparsity(0.5, SparsityPattern.N_OF_M, (2, 4), Storage.COORDINATE, 2)
    operands = [builder.input(call["x"], (1, 4)),
                builder.weight(call["w"], (2, 4), format=INT8, sparsity=sparsity)]
    builder.output(builder.add("gemm", operands, name=call["y"], trans_b=True, origin="Gemm",
                               probability=0.25,
                               phase=Phase.UPDATE))
    return builder.build()


def test_the_text_form_is_pinned():
    assert to_text(small()) == TEXT
    assert from_text(TEXT) == small()


def test_every_character_of_a_name_survives():
    graph = small(x="/layer 1\n\u2028[\"x\"] ->", w="w\u0085", y="é")
    assert from_text(to_text(graph)) == graph
    assert pickle.loads(pickle.dumps(graph)) == graph


def test_declaration_order_does_not_change_the_text():
    graph = small()
    shuffled = replace(graph, tensors=dict(reversed(graph.tensors.items())))
    assert to_text(shuffled) == to_text(graph)


def test_provenance_does_not_change_the_fingerprint_but_names_do():
    graph = small()
    assert fingerprint(replace(graph, provenance={})) == fingerprint(graph)
    assert fingerprint(small(y="other")) != fingerprint(graph)
    assert fingerprint(graph) == fingerprint(from_text(TEXT))


def two_branches(swap=False, tied=False, kernel=3, first="conv"):
    builder = GraphBuilder("branches")
    x = builder.input("x", (1, 4, 8, 8))
    order = (lambda: builder.conv(x, 4, kernel, padding=kernel // 2, bias=False, name=first),
             lambda: builder.max_pool(x, 3, stride=1, padding=1, name="pool"))
    for step in reversed(order) if swap else order:
        step()
    y = builder.sum(first, "pool", name="sum")
    weight = f"{first}.weight" if tied else builder.weight("w2", (4, 4, kernel, kernel))
    builder.output(builder.add("convolution", [y, weight], name="last"))
    return builder.build()


def test_structure_ignores_names_and_the_order_of_independent_operators():
    reference = structure_fingerprint(two_branches())
    assert structure_fingerprint(two_branches(swap=True, first="/Conv_0")) == reference
    assert structure_fingerprint(replace(two_branches(), name="other")) == reference


def test_structure_sees_sizes_sharing_attributes_and_formats():
    graph = two_branches()
    others = [two_branches(tied=True), two_branches(kernel=1),
              replace(graph, ops=(replace(graph.ops[0], probability=0.5), *graph.ops[1:])),
              replace(graph, tensors={**graph.tensors, "w2": replace(graph.tensors["w2"], format=INT8)})]
    assert len({structure_fingerprint(other) for other in (graph, *others)}) == 5


def test_structure_sees_which_input_is_which():
    def difference(first, second):
        builder = GraphBuilder("d")
        builder.input("a", (2,))
        builder.input("b", (2,))
        builder.output(builder.elementwise("subtract", first, second))
        return structure_fingerprint(builder.build())
    assert difference("a", "b") != difference("b", "a")


@pytest.mark.parametrize(("line", "damage", "message"), [
    (1, "hwsim graph 9", "line 1: the text must begin with 'hwsim graph 1'"),
    (2, "grahp \"small\"", "line 2: unknown keyword 'grahp' .did you mean 'graph'"),
    (4, 'tensor "x" inptu float32 [1, 4]', "line 4: unknown role 'inptu'"),
    (4, 'tensor "x" input float33 [1, 4]', "line 4: 'float33' is no number format"),
    (4, 'tensor "x" input float32 [1, 4.5]', "line 4: 4.5 is no integer"),
    (4, 'tensor "x" input float32 7', "line 4: 7 is no list"),
    (4, 'tensor "x" input float32 [1, 4', "line 4: cannot be read"),
    (4, 'tensor "x" input float32 [1, 4] {"density": 1}', "line 4: cannot be read: 'pattern'"),
    (4, 'tensor 7 input float32 [1, 4]', "line 4: 7 is no text"),
    (6, 'tensor "fc" 7', "line 6: a word is missing"),
    (7, 'op "fc" gemm ["x"] to ["fc"] {}', "line 7: '->' expected, not 'to'"),
    (7, 'op "fc" gemm ["x"] -> ["fc"] []', r"line 7: \[\] is no table"),
    (7, 'op "fc" gemm ["x"] -> ["fc"] {"a": null}', "line 7: None is no list"),
    (7, 'op "fc" gemm ["x"] -> ["fc"] {} {"probability": "x"}', "line 7: probability 'x' is no float"),
    (8, 'inputs ["x"] ["y"]', "line 8: there is more on the line"),
])
def test_unreadable_text_names_the_line(line, damage, message):
    lines = TEXT.split("\n")
    lines[line - 1] = damage
    with pytest.raises(GraphError, match=message):
        from_text("\n".join(lines))


def test_empty_text_is_refused():
    with pytest.raises(GraphError, match="must begin with"):
        from_text("")
