"""Gate netlists: what is read, and every way in which a file can be wrong, with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from hwsim.errors import GraphError, InputError
from hwsim.importers import load_network
from hwsim.importers.netlist import GATES, import_netlist
from hwsim.run import load

ADDER = """# two bits and a carry
.model add2
.inputs A[0] A[1] B[0] B[1] cin
.outputs S[0] S[1] S[2]
.gate FA A=A[1] B=B[1] Ci=c0 S=S[1] Co=S[2]   # reads c0 before it is driven
.gate fa a=A[0] b=B[0] \\
   ci=cin s=S[0] co=c0
.end
"""


def write(folder: Path, text: str, name: str = "my.net") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(GraphError) as caught:
        import_netlist(write(folder, text))
    path = f"{folder / 'my.net'}"
    return [str(problem).removeprefix(path) for problem in caught.value.problems]


def model(*lines: str, inputs: str = "a b", outputs: str = "y") -> str:
    return "\n".join([f".model m\n.inputs {inputs}\n.outputs {outputs}", *lines, ".end"])


def test_a_netlist_is_a_graph_in_topological_order(tmp_path: Path) -> None:
    graph = import_netlist(write(tmp_path, ADDER))
    assert graph.name == "add2"
    assert graph.inputs == ("A[0]", "A[1]", "B[0]", "B[1]", "cin")
    assert graph.outputs == ("S[0]", "S[1]", "S[2]")
    assert [(op.name, op.kind, op.inputs, op.outputs, op.origin) for op in graph.ops] == [
        ("add.S[0]", "adder_cell", ("A[0]", "B[0]", "cin"), ("S[0]", "c0"), "line 6"),
        ("add.S[1]", "adder_cell", ("A[1]", "B[1]", "c0"), ("S[1]", "S[2]"), "line 5"),
    ]


@pytest.mark.parametrize("name", GATES)
def test_every_gate_is_read_by_name_in_any_case_and_as_yosys_writes_it(tmp_path: Path, name: str) -> None:
    cell = GATES[name]
    pins = " ".join(f"{pin}={pin.lower()}" for pin in (*cell.inputs, *cell.outputs))
    text = model("", inputs=" ".join(pin.lower() for pin in cell.inputs), outputs=cell.outputs[0].lower())
    for spelled in (name, name.lower(), f"$_{name}_"):
        (op,) = import_netlist(write(tmp_path, text.replace("\n.end", f".gate {spelled} {pins}\n.end"))).ops
        assert (op.kind, op.attributes.get("function", "")) == (cell.kind, cell.function)
        assert len(op.inputs) == len(cell.inputs)


def test_a_carry_may_be_left_open(tmp_path: Path) -> None:
    (op,) = import_netlist(write(tmp_path, model(".gate HA A=a B=b S=y"))).ops
    assert op.outputs == ("y",)


def test_files_are_recognised_by_name_and_by_content(tmp_path: Path) -> None:
    for name in ("x.net", "x.blif", "x.BLIF", "x"):
        assert len(load(write(tmp_path, ADDER, name)).ops) == 2
    with pytest.raises(InputError, match="a netlist has no open dimensions"):
        load_network(write(tmp_path, ADDER), dimensions={"batch": 2})


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (".gate ANDD A=a B=b Y=y", ":4: unknown gate 'ANDD' (did you mean 'AND'?)"),
        (".gate", ":4: unknown gate '' (known: AND, BUF, FA, HA, NAND, NOR, NOT, OR, XOR)"),
        (".gate AND A=a B=b Q=y", ":4: AND has no pin 'Q' (known: A, B, Y)"),
        (".gate AND A=a B=b A=a Y=y", ":4: pin 'A' of AND is connected twice"),
        (".gate AND A=a Y=y", ":4: AND needs pin B"),
        (".gate AND A a B=b Y=y", ":4: 'A' is not of the form PIN=WIRE"),
        (".gate AND A=a B= Y=y", ":4: 'B=' is not of the form PIN=WIRE"),
        (".gat AND A=a B=b Y=y", ":4: unknown statement '.gat' (did you mean '.gate'?)"),
        ("AND A=a B=b Y=y", ":4: unknown statement 'AND' (write .gate AND)"),
        (".gate NOT A=a Y=y\n.gate NOT A=b Y=y", ":5: 'y' is driven here and in line 4"),
        (".gate NOT A=a Y=y\n.gate NOT A=a Y=b", ":5: 'b' is driven here and an input in line 2"),
        (".gate AND A=a B=c Y=y", ":4: 'c' is driven by nothing (known: a, b, y)"),
        (".gate NOT A=a Y=z", ":3: 'y' is driven by nothing (known: a, b, z)"),
        (".inputs a\n.gate NOT A=a Y=y", ":4: 'a' is listed twice; before in line 2"),
        (".latch a y", ":4: .latch: a circuit of gates keeps no state (take the combinational part out)"),
        (".subckt other", ":4: .subckt: models inside models are not read (flatten the netlist first)"),
        (".model other", ":4: a second model; the first is 'm' (flatten the netlist first)"),
        (".names a b y\n11 1", ":4: truth tables are not read (map tables to gates first"),
        (".names c\n1\n.gate AND A=a B=c Y=y", ":6: 'c' is a constant (line 4) (make it an input"),
        (".end\n.gate NOT A=a Y=y", ":5: '.gate' after .end in line 4 (one model a file)"),
        (
            ".gate AND A=a B=z Y=x\n.gate NOT A=x Y=z\n.gate OR A=x B=b Y=y",
            ":4: gates in lines 4, 5 drive each other in a circle (a circuit without state has no loops)",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, lines: str, expected: str) -> None:
    assert expected in "\n".join(problems(tmp_path, model(lines)))


def test_all_errors_are_said_at_once(tmp_path: Path) -> None:
    found = problems(tmp_path, model(".gate X A=a", ".gate AND A=a", ".foo"))
    assert [text.split(":")[1] for text in found] == ["4", "5", "6"]


def test_an_empty_model_is_refused(tmp_path: Path) -> None:
    assert problems(tmp_path, ".model m\n.end\n") == [
        ": holds no gates (known: BUF, NOT, AND, OR, NAND, NOR, XOR, HA, FA)",
        ": names no inputs (write .inputs WIRE ...)",
        ": names no outputs (write .outputs WIRE ...)",
    ]


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "my.net"
    with pytest.raises(GraphError, match=r"my\.net: cannot be read: No such file"):
        import_netlist(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(GraphError, match="is not text: byte 0 is not UTF-8"):
        import_netlist(path)
    path.write_bytes(b".model m\0")
    with pytest.raises(GraphError, match="is not text: holds a zero byte"):
        import_netlist(path)


def test_constants_that_nothing_reads_are_harmless(tmp_path: Path) -> None:
    text = model(".names $false", ".names $true", "1", ".gate NOT A=a Y=y")
    assert len(import_netlist(write(tmp_path, text)).ops) == 1


def test_a_long_chain_is_read_without_recursion(tmp_path: Path) -> None:
    count = 3000
    lines = [f".gate NOT A=n{i} Y=n{i + 1}" for i in reversed(range(count))]
    graph = import_netlist(write(tmp_path, model(*lines, inputs="n0", outputs=f"n{count}")))
    assert len(graph.ops) == count
    ring = [*lines[1:], f".gate AND A=n{count - 1} B=b Y=n0", f".gate NOT A=n5 Y=n{count}"]
    found = problems(tmp_path, model(*ring, outputs=f"n{count}"))
    assert len(found) == 1
    assert "drive each other in a circle" in found[0]
