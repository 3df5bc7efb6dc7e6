"""What users hold: numbers on buses and bits on wires become values of spins."""

from __future__ import annotations

from collections.abc import Mapping

from accelerators.invertible_logic.circuit import Circuit, buses
from hwsim.errors import InputError, Problem, nearest


def clamped_spins(circuit: Circuit, clamps: Mapping[str, int]) -> dict[int, int]:
    """Return 0 or 1 for every spin that `clamps` holds, by number.

    Parameters
    ----------
    circuit : Circuit
        Whose wires.
    clamps : mapping of str to int
        A number by the name of a bus, 0 or 1 by that of a wire, inner wires included.

    Raises
    ------
    InputError
        Unknown names, values that do not fit, wires held at both values; everything at once.
    """
    known = buses(circuit)
    wires = {name: (spin,) for spin, name in enumerate(circuit.wires)}
    found: dict[int, tuple[int, str]] = {}
    problems = []
    for name, value in clamps.items():
        spins = known.get(name) or wires.get(name)
        if spins is None:
            problems.append(
                Problem(
                    f"clamp {name}",
                    f"{circuit.name} has no bus and no wire of this name",
                    nearest(name, wires if "[" in name or "." in name else known),
                )
            )
            continue
        if isinstance(value, bool) or not isinstance(value, int):
            problems.append(Problem(f"clamp {name}", f"{value!r} is no whole number"))
            continue
        if not 0 <= value < 2 ** len(spins):
            reason = (
                f"{value} is neither 0 nor 1"
                if len(spins) == 1
                else (f"{value} does not fit {len(spins)} bits: 0 to {2 ** len(spins) - 1}")
            )
            problems.append(Problem(f"clamp {name}", reason))
            continue
        for place, spin in enumerate(spins):
            bit = (value >> place) & 1
            if spin in found and found[spin][0] != bit:
                problems.append(
                    Problem(
                        f"clamp {name}",
                        f"{name}={value} holds {circuit.wires[spin]} at {bit}, "
                        f"but {found[spin][1]} holds it at {found[spin][0]}",
                    )
                )
            found.setdefault(spin, (bit, f"{name}={value}"))
    if problems:
        raise InputError(problems=problems)
    return {spin: bit for spin, (bit, _) in found.items()}


def mode_of(circuit: Circuit, spins: Mapping[int, int]) -> str:
    """Return forward (all inputs held), reverse (all outputs and no input), free (nothing), else partial."""
    held = [spin in spins for spin in circuit.inputs], [spin in spins for spin in circuit.outputs]
    if not spins:
        return "free"
    if all(held[0]) and not any(held[1]):
        return "forward"
    return "reverse" if all(held[1]) and not any(held[0]) else "partial"
