"""Data movement against numpy on real arrays."""

import numpy as np
import pytest

from hwsim.errors import GraphError
from hwsim.graph import INT8, INT64, OP_KINDS, GraphBuilder, work_of

X = np.arange(2 * 3 * 4).reshape(2, 3, 4)


def moved(kind, *arrays, outputs=1, **attributes):
    builder = GraphBuilder("g")
    names = [builder.input(f"x{i}", np.shape(array)) for i, array in enumerate(arrays)]
    results = builder.add_many(kind, names, name="op", outputs=outputs, **attributes)
    builder.output(*results)
    graph = builder.build()
    shapes = [graph.tensors[name].shape for name in results]
    return shapes if len(shapes) > 1 else shapes[0], work_of(graph, graph.ops[0])


INDICES = np.array([[1, 0], [1, 1]])

CASES = [
    ("transpose", (X,), {"permutation": (2, 0, 1)}, X.transpose(2, 0, 1)),
    ("transpose", (X,), {}, X.T),
    ("concatenate", (X, X[:, :1]), {"axis": -2}, np.concatenate([X, X[:, :1]], 1)),
    ("slice", (X,), {"starts": (1, -3), "ends": (99, -1), "axes": (1, 2)}, X[:, 1:99, -3:-1]),
    ("slice", (X,), {"starts": (-1,), "ends": (-99,), "axes": (2,), "steps": (-2,)}, X[:, :, -1:-99:-2]),
    ("slice", (X,), {"starts": (0, 2), "ends": (2, 1)}, X[0:2, 2:1]),
    ("pad", (X,), {"pads": (0, 1, 0, 0, 2, -1)}, np.pad(X, ((0, 0), (1, 2), (0, 0)))[:, :, :-1]),
    ("expand", (X[:, :1],), {"shape": (5, 1, 3, 1)}, np.broadcast_to(X[:, :1], (5, 2, 3, 4))),
    ("tile", (X,), {"repeats": (1, 2, 3)}, np.tile(X, (1, 2, 3))),
    ("gather", (X, INDICES), {"axis": 1}, np.take(X, INDICES, axis=1)),
    ("gather", (X, np.array(1)), {"axis": -1}, np.take(X, 1, axis=-1)),
    ("gather_elements", (X[0], INDICES), {"axis": 1}, np.take_along_axis(X[0][:2], INDICES, axis=1)),
    ("gather_nd", (X, INDICES), {}, X[INDICES[:, 0], INDICES[:, 1]]),
    ("one_hot", (INDICES,), {"depth": 5}, np.eye(5)[INDICES]),
    ("triangle", (X,), {"upper": False}, np.tril(X)),
    ("range", (), {"length": 7}, np.arange(7)),
    ("fill", (), {"shape": (2, 5)}, np.full((2, 5), 1)),
    ("cast", (X,), {"to": "int8"}, X.astype(np.int8)),
    ("depth_to_space", (np.zeros((2, 8, 3, 5)),), {"block": 2}, np.zeros((2, 2, 6, 10))),
    ("space_to_depth", (np.zeros((2, 2, 6, 10)),), {"block": 2}, np.zeros((2, 8, 3, 5))),
]


@pytest.mark.parametrize(("kind", "arrays", "attributes", "expected"), CASES)
def test_shape_follows_numpy_and_every_result_element_moves(kind, arrays, attributes, expected):
    shape, work = moved(kind, *arrays, **attributes)
    assert shape == expected.shape
    assert (work.moved_elements, work.macs, work.vector_operations) == (expected.size, 0, 0)


@pytest.mark.parametrize(("wanted", "expected"), [
    ((6, 4), (6, 4)), ((-1,), (24,)), ((0, -1), (2, 12)), ((4, 0, -1), (4, 3, 2)),
    ((2, 1, 3, 4, 1), (2, 1, 3, 4, 1))])
def test_reshape_resolves_sizes_and_moves_nothing(wanted, expected):
    shape, work = moved("reshape", X, shape=wanted)
    assert shape == expected
    assert work.moved_elements == 0
    assert OP_KINDS["reshape"].aliases
    assert OP_KINDS["identity"].aliases
    assert not OP_KINDS["transpose"].aliases


def test_split_gives_one_tensor_per_size():
    shapes, work = moved("split", X, axis=-1, sizes=(1, 3), outputs=("a", "b"))
    assert shapes == [part.shape for part in np.split(X, [1], axis=-1)]
    assert work.moved_elements == X.size


def test_scatters_move_the_copy_and_the_updates():
    shape, work = moved("scatter_nd", X, INDICES, X[0, :2, :], reduction="add")
    assert shape == X.shape
    assert (work.moved_elements, work.primitives) == (24 + 8, {"add": 8})
    shape, work = moved("scatter_elements", X[0], INDICES, INDICES, axis=1)
    assert shape == (3, 4)
    assert work.moved_elements == 16


def test_formats_of_results():
    builder = GraphBuilder("g")
    x = builder.input("x", (4,))
    assert builder.tensor(builder.add("cast", x, to="int8")).format == INT8
    assert builder.tensor(builder.add("range", [], length=3)).format == INT64


@pytest.mark.parametrize(("kind", "arrays", "attributes", "message"), [
    ("reshape", (X,), {"shape": (5, -1)}, r"cannot reshape \[2, 3, 4\] \(24 elements\) into \[5, -1\]"),
    ("reshape", (X,), {"shape": (5, 5)}, r"into \[5, 5\] \(25 elements\)"),
    ("reshape", (X,), {"shape": (-1, -1)}, "may hold one -1"),
    ("reshape", (X,), {"shape": (2, 3, 4, 0)}, "copies an axis that input"),
    ("transpose", (X,), {"permutation": (0, 1)}, "must name each of 3 axes once"),
    ("transpose", (X,), {"permutation": (0, 1, 1)}, "names an axis twice"),
    ("concatenate", (X, X[0]), {"axis": 0}, "differ beside axis 0"),
    ("concatenate", (X, X[:, :, :2]), {"axis": 1}, "differ beside axis 1"),
    ("slice", (X,), {"starts": (0,), "ends": (1, 2)}, "must have the same length"),
    ("slice", (X,), {"starts": (0,), "ends": (1,), "axes": (0,), "steps": (0,)}, "holds a zero"),
    ("split", (X,), {"sizes": (1, 2)}, "must add up to 2"),
    ("pad", (X,), {"pads": (1, 1)}, "both ends of each of 3 axes"),
    ("pad", (X,), {"pads": (0, 0, 0, 0, 0, -5)}, "crop more than input"),
    ("pad", (X,), {"pads": (0,) * 6, "mode": "mirror"}, "mode is 'mirror'"),
    ("expand", (X,), {"shape": (5,)}, "do not broadcast"),
    ("tile", (X,), {"repeats": (2,)}, "a count for each axis"),
    ("cast", (X,), {"to": "int9000x"}, "is no number format"),
    ("gather", (X, INDICES), {"axis": 3}, "axis 3 is outside"),
    ("gather_elements", (X, INDICES), {}, "as many axes as data"),
    ("gather_elements", (X[0], np.zeros((4, 9))), {"axis": 1}, "reach beyond data"),
    ("gather_nd", (X, np.zeros((2, 4))), {}, "index tuples of 4 numbers"),
    ("gather_nd", (X, np.zeros((3, 1))), {"batch_dims": 1}, "differ there"),
    ("scatter_nd", (X, INDICES, X[0]), {}, r"must be \[2, 4\]|do not broadcast"),
    ("scatter_nd", (X, INDICES, X[0, :2]), {"reduction": "plus"}, "reduction is 'plus'"),
    ("scatter_elements", (X[0], INDICES, X[0]), {"axis": 1}, "shape of indices"),
    ("depth_to_space", (np.zeros((1, 3, 2, 2)),), {"block": 2}, "divisible by block 2 squared"),
    ("space_to_depth", (np.zeros((1, 3, 3, 2)),), {"block": 2}, "divisible by block 2"),
    ("one_hot", (INDICES,), {"depth": 0}, "depth 0"),
    ("triangle", (np.zeros(3),), {}, "at least 2 axes"),
    ("range", (), {"length": -1}, "length -1"),
    ("fill", (), {"shape": (2, -1)}, "negative size"),
])
def test_bad_movements_are_refused(kind, arrays, attributes, message):
    with pytest.raises(GraphError, match=message):
        moved(kind, *arrays, **attributes)
