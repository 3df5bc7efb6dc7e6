"""Energy of a junction in a cycle: as given, by the adiabatic law, and what others published or used."""

from __future__ import annotations

import math

from accelerators.aqfp_bnn.design import CONSTANTS, AqfpBnnDesign, EnergyModel
from hwsim.dimensions import ENERGY
from hwsim.physics import physical_constants
from hwsim.sourced import Sourced, by_law, chosen, sqrt

PUBLISHED_LAW_HZ = 5e9


def junction_energy(design: AqfpBnnDesign) -> Sourced:
    """Return joules per junction and cycle.

    A preset's value keeps its source; any other number is the user's own.
    """
    if design.energy_model is EnergyModel.ADIABATIC_LAW:
        return adiabatic_energy(design.clock_hz)
    for known in (CONSTANTS.superbnn_junction_j, CONSTANTS.mana_junction_j):
        if float(known) == design.junction_j:
            return known
    return chosen(design.junction_j, "_j", "design.junction_j")


def adiabatic_energy(clock_hz: float) -> Sourced:
    """Return joules per junction and cycle by the adiabatic law, linear in the clock.

    E = Phi0 Ic 4 f tau, tau = sqrt(2 pi Phi0 C' / (beta_c Jc)): half of an AQFP of two junctions. Simulation
    of a buffer agrees within 25 % up to 1 GHz and is 1.6 to 2.5 times higher at 5 GHz.
    """
    if clock_hz <= 0:
        raise ValueError(f"clock_hz {clock_hz} is not above 0")
    c = CONSTANTS
    flux = c.law_flux_quantum_j_per_a
    squared = flux * c.law_capacitance_f_per_m2 * (2 * math.pi)
    switching = sqrt(squared / (c.law_current_density_a_per_m2 * c.law_damping_count))
    clock = chosen(clock_hz, "_hz", "clock_hz")
    value = flux * c.law_critical_current_a * switching * clock * 4
    arguments = {"Phi0": flux, "Ic": c.law_critical_current_a, "tau": switching, "f": clock}
    return by_law(c.law("adiabatic_energy"), value.in_unit_of("_j"), ENERGY, arguments)


def published_energies() -> dict[str, Sourced]:
    """Return energies of a junction and cycle that others measured, computed or used."""
    c = CONSTANTS
    return {
        "adiabatic law at 5 GHz": adiabatic_energy(PUBLISHED_LAW_HZ),
        "microprocessor MANA": c.mana_junction_j,
        "8-bit adder, 24 kT": c.adder_kt_count * thermal_energy(float(c.reference_temperature_k)),
        "resonator, half of 10 zJ": c.resonator_j / 2,
        "SupeRBNN": c.superbnn_junction_j,
    }


def published_range() -> tuple[float, float]:
    """Return the least and the largest of `published_energies`."""
    found = [float(energy) for energy in published_energies().values()]
    return min(found), max(found)


def thermal_energy(temperature_k: float) -> Sourced:
    """Return k_B T."""
    if temperature_k <= 0:
        raise ValueError(f"temperature_k {temperature_k} is not above 0")
    return physical_constants().boltzmann_j_per_k * chosen(temperature_k, "_k", "temperature_k")


def memory_junctions(bits: int, clock_phases: int) -> int:
    """Return the junctions of a buffer-chain memory: a bit circulates once a cycle through n buffers."""
    if clock_phases < 3:
        raise ValueError(f"{clock_phases} clock phases give data no direction; at least 3 do")
    return bits * clock_phases * int(CONSTANTS.buffer_junctions_count)


def energy_warnings(design: AqfpBnnDesign) -> list[str]:
    """Return what to know about the energy of a junction in every result."""
    low, high = published_range()
    energy = float(junction_energy(design))
    found = [
        f"energy per junction and cycle is {energy:.3g} J; published and used are "
        f"{low:.2g} to {high:.2g} J, and the result is proportional to it"
    ]
    if design.energy_model is EnergyModel.ADIABATIC_LAW and design.clock_hz > float(CONSTANTS.law_limit_hz):
        found.append(
            f"the adiabatic law holds up to {float(CONSTANTS.law_limit_hz):g} Hz, "
            f"not at {design.clock_hz:g} Hz"
        )
    if design.clock_hz > float(CONSTANTS.largest_clock_hz):
        found.append(f"a clock of {design.clock_hz:g} Hz is above {float(CONSTANTS.largest_clock_hz):g} Hz")
    return found
