"""Structural Verilog: one module, one-bit signals, primitive gates, maj3, maj5, and assignments of names."""

from __future__ import annotations

import re

from accelerators.aqfp_bnn.netlist import Netlist
from accelerators.aqfp_bnn.netlist_text import FUNCTIONS, NetlistText

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_NAME = r"(?:[A-Za-z_][\w$]*(?:\[\d+\])?|\\\S+)"
_MODULE = re.compile(rf"module\s+({_NAME})\s*(?:\((.*)\))?\s*$", re.DOTALL)
_GATE = re.compile(rf"({_NAME})\s+(?:{_NAME}\s*)?\((.*)\)\s*$", re.DOTALL)
_ASSIGN = re.compile(r"assign\s+(\S+)\s*=\s*(~?)\s*(\S+)\s*$", re.DOTALL)
_DECLARED = {"input": "inputs", "output": "outputs", "wire": ""}
_CONSTANTS = {"1'b0": "zero", "1'b1": "one"}


def parse_verilog(text: str, file: str = "netlist.v") -> Netlist:
    """Return the module of a text; InputError with every fault and its line."""
    found = NetlistText(file)
    plain = _COMMENT.sub(lambda match: "\n" * match[0].count("\n") or " ", text)
    position, ended = 0, False
    statements = plain.split(";")
    for index, raw in enumerate(statements):
        line = plain.count("\n", 0, position + len(raw) - len(raw.lstrip())) + 1
        position += len(raw) + 1
        statement = raw.strip()
        if statement.startswith("endmodule"):
            ended = True
            statement = statement.removeprefix("endmodule").strip()
            if not statement:
                continue
            found.fault(line, "text after endmodule", "one flat module is read")
            break
        if statement and index == len(statements) - 1:
            found.fault(line, f"{statement.split()[0]!r} is not closed by ';'")
        elif statement:
            _statement(found, statement, line)
    if not ended and not found.problems:
        found.fault(plain.count("\n") + 1, "endmodule is missing")
    return found.netlist()


def _statement(found: NetlistText, statement: str, line: int) -> None:
    word = statement.split()[0].split("(")[0]
    if word == "module":
        match = _MODULE.match(statement)
        if not match or found.name:
            found.fault(line, "no module header" if not match else "a second module", "write one flat module")
            return
        found.name = match[1]
        _header(found, match[2] or "", line)
    elif word in _DECLARED:
        _declare(found, word, statement.removeprefix(word), line)
    elif word == "assign":
        match = _ASSIGN.match(statement)
        if not match:
            found.fault(line, f"{' '.join(statement.split())!r} is no assignment of a name", "use gates")
            return
        found.gate("not" if match[2] else "buf", match[1], [_operand(found, match[3], line)], line)
    else:
        match = _GATE.match(statement)
        ports = [port.strip() for port in match[2].split(",")] if match else []
        if not match or len(ports) < 2 or not all(ports):
            shown = " ".join(statement.split())[:60]
            found.fault(line, f"{shown!r} is no gate", f"known: {', '.join(FUNCTIONS)}")
            return
        found.gate(match[1], ports[0], [_operand(found, port, line) for port in ports[1:]], line)


def _header(found: NetlistText, ports: str, line: int) -> None:
    """Read a header whose ports carry their directions; plain names are declared later."""
    kind = ""
    for port in ports.split(","):
        words = port.split()
        if words and words[0] in ("input", "output"):
            kind, words = words[0], words[1:]
        if kind and words:
            _declare(found, kind, " ".join(words), line)


def _declare(found: NetlistText, kind: str, names: str, line: int) -> None:
    names = names.replace("wire ", " ", 1) if kind != "wire" else names
    if re.search(r"\[\s*\d+\s*:", names):
        found.fault(line, f"{kind} {names.strip()} is a bus", "declare single bits")
        return
    table = {"inputs": found.inputs, "outputs": found.outputs}.get(_DECLARED[kind])
    if table is not None:
        found.declare([name.strip() for name in names.split(",") if name.strip()], line, table, kind)


def _operand(found: NetlistText, name: str, line: int) -> str:
    """Return the signal of an operand; constants become signals of their own."""
    if name in _CONSTANTS and name not in found.drivers:
        found.gate(_CONSTANTS[name], name, [], line)
    return name
