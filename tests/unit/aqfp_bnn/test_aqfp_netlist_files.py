"""BLIF and structural Verilog: the same circuits as in Python, and every fault with its line."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from accelerators.aqfp_bnn.balancing import balance
from accelerators.aqfp_bnn.blif import parse_blif
from accelerators.aqfp_bnn.cells import Bits, Cell
from accelerators.aqfp_bnn.netlist import Netlist, evaluate
from accelerators.aqfp_bnn.netlist_text import read_netlist
from accelerators.aqfp_bnn.verilog import parse_verilog
from hwsim.errors import InputError

C17 = """// ISCAS-85 c17
module c17 (N1, N2, N3, N6, N7, N22, N23);
  input N1, N2, N3, N6, N7;
  output N22, N23;
  wire N10, N11, N16, N19;
  nand g1 (N10, N1, N3);
  nand g2 (N11, N3, N6);
  nand g3 (N16, N2, N11);
  nand g4 (N19, N11, N7);
  /* two
     outputs */
  nand g5 (N22, N10, N16);
  nand (N23, N16, N19);
endmodule
"""
ADDER = """.model adder # carries are majorities
.inputs a b c
.outputs sum carry
.names a b c carry
11- 1
1-1 1
-11 1
.names a b c \\
  d
110 1
111 1
011 1
101 1
.names a b c sum
100 1
010 1
001 1
111 1
.end
"""


def words(netlist: Netlist) -> dict[str, Bits]:
    columns = np.array(list(itertools.product((False, True), repeat=len(netlist.inputs)))).T
    return dict(zip(netlist.inputs, columns, strict=True))


def test_c17_as_verilog() -> None:
    netlist = parse_verilog(C17)
    x = words(netlist)
    n11 = ~(x["N3"] & x["N6"])
    n16 = ~(x["N2"] & n11)
    found, _ = evaluate(netlist, x)
    assert (found["N22"] == ~(~(x["N1"] & x["N3"]) & n16)).all()
    assert (found["N23"] == ~(n16 & ~(n11 & x["N7"]))).all()
    assert netlist.gates == 6
    # Published: 6 gates, 12 buffers and splitters, 5 phases, by a tool whose input convention is not known.
    assert (balance(netlist).buffers, balance(netlist).depth) == (15, 6)


def test_a_cover_that_is_a_majority_becomes_one_gate() -> None:
    netlist = parse_blif(ADDER)
    x = words(netlist)
    found, _ = evaluate(netlist, x)
    total = sum(bits.astype(int) for bits in x.values())
    assert (found["sum"] + 2 * found["carry"].astype(int) == total).all()
    assert netlist.cells.count(Cell.MAJ3) == 1
    assert netlist.name == "adder"


def test_covers_of_zeros_constants_and_inverted_majorities() -> None:
    text = (".model m\n.inputs a b c\n.outputs n k z o w\n.names a b c n\n00- 0\n0-0 0\n-00 0\n.names k\n1\n"
            ".names z\n.names a b o\n11 0\n.names a w\n0 1\n.end\n")  # fmt: skip
    netlist = parse_blif(text)
    x = words(netlist)
    found, _ = evaluate(netlist, x)
    assert (found["n"] == (x["a"].astype(int) + x["b"] + x["c"] >= 2)).all()
    assert found["k"].all()
    assert not found["z"].any()
    assert (found["o"] == ~(x["a"] & x["b"])).all()
    assert (found["w"] == ~x["a"]).all()


def test_headers_with_directions_assignments_and_constants() -> None:
    text = ("module top(input a, b, output y, output z);\nwire t; maj3 m (t, a, b, 1'b1);\nassign y = ~t;\n"
            "assign z = b;\nendmodule")  # fmt: skip
    netlist = parse_verilog(text)
    x = words(netlist)
    found, _ = evaluate(netlist, x)
    assert (found["y"] == ~(x["a"] | x["b"])).all()
    assert (found["z"] == x["b"]).all()


def test_files_are_read_by_suffix(tmp_path: Path) -> None:
    for name, text in (("c17.v", C17), ("adder.blif", ADDER)):
        (tmp_path / name).write_text(text)
        assert read_netlist(tmp_path / name).gates
    for name, reason in (("c17.txt", "no netlist"), ("none.v", "cannot read")):
        with pytest.raises(InputError, match=reason):
            read_netlist(tmp_path / name)
    (tmp_path / "bytes.v").write_bytes(b"module \xff")
    with pytest.raises(InputError, match="UTF-8"):
        read_netlist(tmp_path / "bytes.v")


VERILOG_FAULTS = [
    ("nand g1", "nan g1", "netlist.v:6: unknown gate 'nan' (did you mean 'nand'?)"),
    ("N11, N7", "N12, N7", "netlist.v:9: 'N12' has no driver"),
    ("(N19, N11, N7)", "(N16, N11, N7)", "netlist.v:9: 'N16' is driven twice, first in line 8"),
    ("(N11, N3, N6)", "(N11, N23, N6)", "depends on itself"),
    ("(N10, N1, N3)", "(N1, N2, N3)", "'N1' is an input and driven as well"),
    ("endmodule", "", "netlist.v:15: endmodule is missing"),
    ("endmodule", "endmodule module b;", "text after endmodule"),
    ("N22, N23;\n", "N22, N24;\n", "output 'N24' has no driver"),
    ("input N1,", "input [3:0] N1,", "netlist.v:3: input [3:0] N1, N2, N3, N6, N7 is a bus"),
    ("nand (N23, N16, N19);", "nand (N23, N16, N19)", "'nand' is not closed by ';'"),
    ("nand g5 (N22, N10, N16);", "assign N22 = N10 & N16;", "no assignment of a name"),
    ("nand g5 (N22, N10, N16);", "not g5 (N22, N10, N16);", "not of 2 operands, expected 1"),
    ("  output N22, N23;", "", "declares no output"),
]


@pytest.mark.parametrize(("old", "new", "message"), VERILOG_FAULTS)
def test_faults_of_verilog_name_their_line(old: str, new: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_verilog(C17.replace(old, new))
    assert message in str(caught.value)


BLIF_FAULTS = [
    ("11- 1", "11 1", "netlist.blif:5: '11 1' is no row of a cover of 3 signals"),
    ("11- 1", "11- 0", "netlist.blif:4: the cover of 'carry' mixes rows of 0 and of 1"),
    (".end", ".latch a b\n.end", "netlist.blif:19: .latch is not supported"),
    (".names a b c carry", ".name a b c carry", "did you mean '.names'?"),
    (".inputs a b c", ".inputs a b b", "input 'b' is declared twice"),
    (".outputs sum carry", ".outputs sum cary", "output 'cary' has no driver (did you mean 'carry'?)"),
    (".inputs a b c", ".inputs a b c\n11 1", "stands outside .names"),
    (".names a b c sum", ".names", ".names without a signal"),
]


@pytest.mark.parametrize(("old", "new", "message"), BLIF_FAULTS)
def test_faults_of_blif_name_their_line(old: str, new: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_blif(ADDER.replace(old, new))
    assert message in str(caught.value)


def test_all_faults_of_a_file_at_once() -> None:
    text = C17.replace("nand g1", "nan g1").replace("nand g4", "nut g4")
    with pytest.raises(InputError) as caught:
        parse_verilog(text)
    assert len([problem for problem in caught.value.problems if "unknown gate" in problem.reason]) == 2
