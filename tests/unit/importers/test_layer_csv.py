"""Layer lists: accepted spellings, the size convention, what is refused and how it is written back."""

from __future__ import annotations

from pathlib import Path

import pytest

from hwsim.errors import InputError
from hwsim.graph.build import GraphBuilder
from hwsim.graph.contraction import matrix_products
from hwsim.graph.coverage import coverage_of
from hwsim.graph.ops import work_of
from hwsim.graph.types import INT8, Graph, Sparsity, SparsityPattern
from hwsim.importers import layer_csv_write, load_network
from hwsim.importers.layer_csv import export_layer_csv, import_layer_csv

HEADER = ("Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, "
          "Strides,\n")


def write(tmp_path: Path, text: str | bytes, name: str = "net.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def read(tmp_path: Path, text: str | bytes) -> Graph:
    return import_layer_csv(write(tmp_path, text))


def refusal(tmp_path: Path, text: str | bytes) -> InputError:
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    return caught.value


def test_layers_are_independent_and_keep_their_names(tmp_path: Path) -> None:
    graph = read(tmp_path, HEADER + "Conv1, 8, 8, 3, 3, 4, 6, 1,\nConv2,5,5,1,1,6,2,2,\n")
    assert [op.name for op in graph.ops] == ["Conv1", "Conv2"]
    assert graph.inputs == ("Conv1/input", "Conv2/input")
    assert graph.outputs == ("Conv1", "Conv2")
    assert graph.tensors["Conv1"].shape == (1, 6, 6, 6)
    assert graph.tensors["Conv1/weight"].format == INT8
    assert [work_of(graph, op).macs for op in graph.ops] == [36 * 6 * 36, 9 * 2 * 6]
    assert coverage_of(graph).line().startswith("coverage: 2 nodes, 0 folded, 2 costed")


def test_output_size_is_the_ceiling_that_scalesim_takes(tmp_path: Path) -> None:
    graph = read(tmp_path, HEADER + "Conv1, 224, 224, 7, 7, 3, 64, 2,\n")
    assert graph.tensors["Conv1"].shape == (1, 64, 110, 110)
    assert graph.ops[0].ints("pads") == (0, 0, 1, 1)
    assert graph.provenance["output_size_convention"].startswith("ceil(")


@pytest.mark.parametrize("text", [
    HEADER.replace(" ", "") + "a,8,8,3,3,4,6,1\n",
    HEADER.lower() + "  a ,8 , 8,3,3,4,6,1 ,,,\n",
    HEADER.rstrip(",\n") + "\na,8,8,3,3,4,6,1,\n",
    "# written by hand\n\n" + HEADER + "\n// first\na,8,8,3,3,4,6,1,\n,,,\n",
    "\ufeff" + HEADER + "a,8,8,3,3,4,6,1,\n",
    HEADER.replace("\n", "\r\n") + "a,8,8,3,3,4,6,1,\r\n",
    "Strides,Num Filter,Channels,Filter Width,Filter Height,IFMAP Width,IFMAP Height,Layer\n"
    "1,6,4,3,3,8,8,a\n",
    HEADER.replace("Strides", "Stride height, Stride width") + "a,8,8,3,3,4,6,1,1,\n",
    HEADER.replace("Strides,", "Strides, Sparsity") + "a,8,8,3,3,4,6,1,1:1,\n",
    '"Layer name","IFMAP Height","IFMAP Width","Filter Height","Filter Width","Channels","Num Filter",'
    '"Strides"\n"a","8","8","3","3","4","6","1"\n',
])
def test_spellings_that_are_accepted(tmp_path: Path, text: str) -> None:
    graph = read(tmp_path, text)
    assert [op.name for op in graph.ops] == ["a"]
    assert work_of(graph, graph.ops[0]).macs == 36 * 6 * 36


def test_products_by_m_n_k(tmp_path: Path) -> None:
    graph = read(tmp_path, "Layer, M, N, K,\nfc, 4, 10, 32,\n")
    assert graph.tensors["fc"].shape == (4, 10)
    assert graph.parameters == 320
    assert work_of(graph, graph.ops[0]).macs == 4 * 10 * 32


def test_batched_products_have_two_activations(tmp_path: Path) -> None:
    graph = read(tmp_path, "Layer, M, N, K, Batch,\nscores, 16, 16, 64, 12,\nfc, 2, 3, 4, ,\n")
    first, second = (matrix_products(graph, op)[0] for op in graph.ops)
    assert (first.groups, first.right_is_weight) == (12, False)
    assert (second.groups, second.right_is_weight) == (1, True)


def test_sparsity_column_becomes_n_of_m_weights(tmp_path: Path) -> None:
    graph = read(tmp_path, HEADER.replace("Strides,", "Strides, Sparsity,") + "a,8,8,3,3,4,6,1,2:4,\n")
    assert graph.tensors["a/weight"].sparsity == Sparsity(0.5, SparsityPattern.N_OF_M, (2, 4))


def test_depthwise_rows_are_marked_by_their_name(tmp_path: Path) -> None:
    graph = read(tmp_path, HEADER + "Conv_DP_1, 10, 10, 3, 3, 16, 1, 1,\n")
    (product,) = matrix_products(graph, graph.ops[0])
    assert (product.groups, product.k, product.n) == (16, 9, 1)


@pytest.mark.parametrize(("row", "place", "reason"), [
    ("b,8,8,3,3,4,6,0,", "net.csv:3.Strides", "'0' is not between 1"),
    ("b,8,8,3,3,4,-6,1,", "net.csv:3.Num Filter", "'-6' is not between 1"),
    ("b,8,8,3,3,4.5,6,1,", "net.csv:3.Channels", "'4.5' is not an integer"),
    ("b,8,eight,3,3,4,6,1,", "net.csv:3.IFMAP Width", "'eight' is not a number"),
    ("b,8,8,3,,4,6,1,", "net.csv:3.Filter Width", "is empty"),
    ("b,8,8,3,3,4,6,1000000000000000000,", "net.csv:3.Strides", "is not between 1"),
    ("a,8,8,3,3,4,6,1,", "net.csv:3.Layer name", "already the name of the layer in line 2"),
    (",8,8,3,3,4,6,1,", "net.csv:3.Layer name", "has no name"),
    ("b,8,8,3,3,4,6,", "net.csv:3", "ragged row: 7 fields"),
    ("b,8,8,3,3,4,6,1,9,", "net.csv:3", "ragged row: 9 fields"),
    ("b,2,8,3,3,4,6,1,", "net.csv:3.Filter Height", "3 is larger than IFMAP Height 2"),
    ("b,2000000000,2000000000,1,1,4000,1,1,", "net.csv:3", "more than 2**48 elements"),
])
def test_wrong_rows_name_line_column_and_value(tmp_path: Path, row: str, place: str, reason: str) -> None:
    error = refusal(tmp_path, HEADER + "a,8,8,3,3,4,6,1,\n" + row + "\n")
    assert [problem.where for problem in error.problems] == [place]
    assert reason in error.problems[0].reason
    assert error.exit_code == 2


def test_all_problems_of_a_file_come_at_once(tmp_path: Path) -> None:
    error = refusal(tmp_path, HEADER + "a,0,8,3,3,x,6,1,\nb,8,8,3,3,4,6,1,\nb,8,8,3,3,4,6,1,\nc,1,\n")
    assert [problem.where for problem in error.problems] == [
        "net.csv:2.IFMAP Height", "net.csv:2.Channels", "net.csv:5", "net.csv:4.Layer name"]


def test_problems_of_fields_and_of_geometry_come_together(tmp_path: Path) -> None:
    error = refusal(tmp_path, HEADER + "a,8,8,3,3,4,6,-1,\nb,8,2,3,3,4,6,1,\nc,2,8,3,3,4,6,0,\n"
                    "d,2000000000,2000000000,1,1,4000,1,1,\n")
    assert [problem.where for problem in error.problems] == [
        "net.csv:2.Strides", "net.csv:3.Filter Width", "net.csv:4.Strides", "net.csv:4.Filter Height",
        "net.csv:5"]


@pytest.mark.parametrize(("text", "reason"), [
    ("", "is empty"),
    ("  \n \n", "is empty"),
    (HEADER, "no layer"),
    ("# nothing\n", "no header"),
    (b"\x89PNG\xff\xfe", "is not text"),
    (HEADER.replace("Channels, ", "") + "a,8,8,3,3,6,1,\n", "column 'Channels' is missing"),
    (HEADER.replace("Strides,", "") + "a,8,8,3,3,4,6,\n", "column 'Strides' is missing"),
    (HEADER.replace("Channels", "Chanels") + "a,8,8,3,3,4,6,1,\n", "unknown column 'Chanels'"),
    (HEADER.replace("Strides", "Channels") + "a,8,8,3,3,4,6,1,\n", "appears twice"),
    ("Layer, M, N, K, Padding\nfc,1,1,1,1\n", "unknown column 'Padding'"),
    ("Layer, M, N, K, Sparsity\nfc,1,1,1,4:2\n", "no ratio N:M"),
])
def test_wrong_files(tmp_path: Path, text: str | bytes, reason: str) -> None:
    assert reason in str(refusal(tmp_path, text))


def test_unknown_column_gets_the_nearest_name(tmp_path: Path) -> None:
    error = refusal(tmp_path, HEADER.replace("Channels", "Chanels") + "a,8,8,3,3,4,6,1,\n")
    assert "did you mean 'Channels'?" in str(error)


@pytest.mark.parametrize("path", ["missing.csv", ".", "a\0b.csv"])
def test_unreadable_paths(tmp_path: Path, path: str) -> None:
    with pytest.raises(InputError):
        import_layer_csv(tmp_path / path)


def test_unknown_kind(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="did you mean 'gemm'"):
        import_layer_csv(write(tmp_path, "Layer, M, N, K,\nfc,1,1,1,\n"), kind="gem")


def small_network() -> Graph:
    builder = GraphBuilder("small")
    x = builder.input("image", (2, 4, 9, 9))
    x = builder.relu(builder.conv(x, 8, 3, stride=2, padding=1, groups=2, name="grouped"))
    x = builder.conv(x, 6, 3, dilation=2, padding=2, name="dilated")
    x = builder.linear(builder.flatten(x), 10, name="fc,1")
    builder.output(x)
    return builder.build()


@pytest.mark.parametrize("kind", ["convolution", "gemm"])
def test_export_keeps_macs_and_says_what_it_rewrote(tmp_path: Path, kind: str) -> None:
    graph = small_network()
    notes = export_layer_csv(graph, tmp_path / "out.csv", kind=kind)
    back = import_layer_csv(tmp_path / "out.csv")
    assert coverage_of(back).macs == coverage_of(graph).macs
    names = [op.name for op in back.ops]
    assert names[-1] == "fc_1"
    assert len(names) == (2 * 2 if kind == "convolution" else 2) + 1 + 1
    assert any("sub-layers" in note for note in notes)
    assert any("left out" in note for note in notes)


def test_round_trip_of_a_layer_list_is_exact(tmp_path: Path) -> None:
    text = HEADER.replace("Strides,", "Strides, Sparsity,") + "a,9,7,3,2,4,6,2,2:4,\nb,8,8,1,1,4,6,3,1:1,\n"
    graph = read(tmp_path, text)
    assert export_layer_csv(graph, tmp_path / "out.csv")
    back = import_layer_csv(tmp_path / "out.csv")
    assert [work_of(back, op).macs for op in back.ops] == [work_of(graph, op).macs for op in graph.ops]
    assert back.tensors["a/weight"].sparsity == graph.tensors["a/weight"].sparsity
    assert {op.name: op.ints("strides") for op in back.ops} == {"a": (2, 2), "b": (3, 3)}


def test_export_without_matrix_work_writes_nothing(tmp_path: Path) -> None:
    builder = GraphBuilder("vector")
    builder.output(builder.relu(builder.input("x", (4,))))
    with pytest.raises(InputError, match="no matrix product"):
        export_layer_csv(builder.build(), tmp_path / "out.csv")
    assert not list(tmp_path.iterdir())


def test_kinds_and_sizes_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError) as caught:
        export_layer_csv(small_network(), tmp_path / "out.csv", kind="gem")
    (problem,) = caught.value.problems
    assert (problem.where, problem.reason) == ("kind", "unknown kind of layer list 'gem'")
    assert problem.hint == "did you mean 'gemm'?"
    monkeypatch.setattr(layer_csv_write, "MAX_ROWS", 1)
    with pytest.raises(InputError, match=r"needs more than 1 rows .*each group, batch and time step"):
        export_layer_csv(small_network(), tmp_path / "out.csv")
    assert not list(tmp_path.iterdir())


def test_names_that_become_equal_are_told_apart(tmp_path: Path) -> None:
    """A comma is no part of a field, so a,b and a'b are both written as a_b."""
    b = GraphBuilder("names")
    x = b.input("x", (2, 3))
    for name in ("a,b", "a'b", "a#b"):
        b.output(b.linear(x, 4, name=name))
    export_layer_csv(b.build(), tmp_path / "out.csv", kind="gemm")
    back = import_layer_csv(tmp_path / "out.csv")
    assert [op.name for op in back.ops] == ["a_b", "a_b_2", "a_b_3"]


def test_windows_that_no_row_describes_are_matrix_products(tmp_path: Path) -> None:
    b = GraphBuilder("windows")
    x = b.input("x", (2, 4, 9, 9))
    b.output(b.conv(x, 6, 3, stride=(1, 2), padding=1, groups=2, name="uneven"))
    b.output(b.conv(x, 6, 3, padding=1, groups=2, name="padded"))
    notes = export_layer_csv(b.build(), tmp_path / "out.csv")
    assert notes == (
        "1 operator(s): dilated, transposed, 3-D or unevenly strided window written as a matrix product",
        "2 operator(s): groups, batches and steps split into sub-layers",
        "1 operator(s): padding written into the input size",
    )
    graph, back = b.build(), import_layer_csv(tmp_path / "out.csv")
    macs, again = (sum(work_of(which, op).macs for op in which.ops) for which in (graph, back))
    assert macs == again


def test_unwritable_target_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "out.csv").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        export_layer_csv(small_network(), tmp_path / "out.csv")
    with pytest.raises(InputError, match="cannot be written"):
        export_layer_csv(small_network(), tmp_path / "missing" / "out.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]


def test_load_network_knows_text_by_name_and_content(tmp_path: Path) -> None:
    text = "Layer, M, N, K,\nfc, 4, 10, 32,\n"
    assert len(load_network(write(tmp_path, text, "net.topology")).ops) == 1
    with pytest.raises(InputError, match="no open dimensions"):
        load_network(write(tmp_path, text), dimensions={"batch": 2})
