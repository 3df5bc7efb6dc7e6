"""BLIF: .model, .inputs, .outputs, .names with a cover, .end; covers that are majorities become MAJ gates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from accelerators.aqfp_bnn.netlist import Netlist, NetlistBuilder
from accelerators.aqfp_bnn.netlist_text import Driver, Make, NetlistText
from hwsim.errors import nearest

KNOWN = (".model", ".inputs", ".outputs", ".names", ".end")
REFUSED = {
    ".latch": "loops of states are built in Python",
    ".subckt": "write one flat model",
    ".gate": "use .names",
}


def parse_blif(text: str, file: str = "netlist.blif") -> Netlist:
    """Return the first model of a BLIF text; InputError with every fault and its line."""
    found = NetlistText(file)
    current: tuple[int, list[str]] | None = None
    cover: list[tuple[int, list[str]]] = []
    for line, words in _lines(text):
        if words[0].startswith("."):
            if current:
                _names(found, *current, cover)
            current, cover = None, []
        if words[0] == ".end":
            break
        if words[0] == ".names":
            if len(words) == 1:
                found.fault(line, ".names without a signal")
            else:
                current = (line, words[1:])
        elif words[0] == ".model":
            found.name = words[1] if len(words) > 1 else ""
        elif words[0] == ".inputs":
            found.declare(words[1:], line, found.inputs, "input")
        elif words[0] == ".outputs":
            found.declare(words[1:], line, found.outputs, "output")
        elif words[0].startswith("."):
            hint = REFUSED.get(words[0], nearest(words[0], KNOWN))
            found.fault(line, f"{words[0]} is not supported", hint)
        elif current:
            cover.append((line, words))
        else:
            found.fault(line, f"{' '.join(words)!r} stands outside .names")
    if current:
        _names(found, *current, cover)
    return found.netlist()


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield line numbers and words, lines that end in a backslash joined, comments left out."""
    held, first = "", 0
    for number, raw in enumerate([*text.splitlines(), ""], start=1):
        line = raw.split("#")[0].rstrip()
        first = first or number
        if line.endswith("\\"):
            held += line[:-1] + " "
            continue
        words = (held + line).split()
        if words:
            yield first, words
        held, first = "", 0


def _names(found: NetlistText, line: int, signals: list[str], cover: list[tuple[int, list[str]]]) -> None:
    *operands, result = signals
    cubes, values = [], set()
    for at, words in cover:
        cube, value = ("", words[0]) if len(words) == 1 else (words[0], words[-1])
        if len(words) > 2 or len(cube) != len(operands) or set(cube) - set("01-") or value not in ("0", "1"):
            found.fault(at, f"{' '.join(words)!r} is no row of a cover of {len(operands)} signals")
            return
        cubes.append(cube)
        values.add(value)
    if len(values) > 1:
        found.fault(line, f"the cover of {result!r} mixes rows of 0 and of 1")
        return
    found.drive(result, Driver(line, tuple(operands), _maker(tuple(cubes), values == {"0"}, len(operands))))


def _maker(cubes: tuple[str, ...], inverted: bool, width: int) -> Make:
    """Return what builds a cover: a majority if it is one, otherwise OR of ANDs."""
    flips = _majority(cubes, width)

    def make(build: NetlistBuilder, signals: Sequence[int]) -> int:
        if not cubes:
            return build.constant(False)
        if flips is not None:
            turned = [signal ^ flip for signal, flip in zip(signals, flips, strict=True)]
            return (build.maj3(*turned) if width == 3 else build.maj5(*turned)) ^ int(inverted)
        terms = []
        for cube in cubes:
            literals = [s ^ int(sign == "0") for s, sign in zip(signals, cube, strict=True) if sign != "-"]
            if not literals:
                return build.constant(not inverted)
            terms.append(build.and_(*literals))
        return build.or_(*terms) ^ int(inverted)

    return make


def _majority(cubes: tuple[str, ...], width: int) -> tuple[int, ...] | None:
    """Return which inputs of a majority are inverted, None if the cover is no majority."""
    if width not in (3, 5) or not cubes:
        return None
    inside = {
        point
        for point in product((0, 1), repeat=width)
        if any(all(s == "-" or int(s) == bit for s, bit in zip(cube, point, strict=True)) for cube in cubes)
    }
    if len(inside) != 2 ** (width - 1):
        return None
    for flips in product((0, 1), repeat=width):
        if all((2 * sum(b ^ f for b, f in zip(point, flips, strict=True)) > width) for point in inside):
            return flips
    return None
