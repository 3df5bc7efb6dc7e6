"""Figures of the chip's own: sizes of the spin network, its ground energy, and exact odds of small ones."""

from __future__ import annotations

import numpy as np

from accelerators.invertible_logic.circuit import fulfilled, is_gate
from accelerators.invertible_logic.datasheet import area_per_bit
from accelerators.invertible_logic.design import InvertibleLogicDesign, Update
from accelerators.invertible_logic.hamiltonian import MOST_FREE_SPINS, boltzmann
from accelerators.invertible_logic.widths import built
from hwsim.graph.types import Graph


def figures(graph: Graph, design: InvertibleLogicDesign) -> dict[str, float]:
    """Return sizes of the network, area of its own adders and counters, and the energy of its ground states.

    With sequential updates and at most 20 spins, valid_state_ratio is the exact Boltzmann probability, at the
    last I0, of a state in which every gate holds.
    """
    if not any(is_gate(op) for op in graph.ops):
        return {}
    made = built(graph, design)
    circuit, network = made.circuit, made.network
    bits = int(made.bits.sum())
    found = {
        "spins_count": float(network.spins),
        "gates_count": float(len(circuit.gates)),
        "nonzeros_count": float(network.nonzeros),
        "largest_coupling_count": float(np.abs(network.weights).max()),
        "largest_bias_count": float(np.abs(network.h).max()),
        "largest_field_count": float(network.fields.max()),
        "ground_energy_ratio": float(circuit.ground_energy),
        "adder_and_counter_bits": float(bits),
        "network_area_m2": area_per_bit(design).value * bits,
    }
    if design.update is Update.SEQUENTIAL and network.spins <= MOST_FREE_SPINS:
        states, probabilities = boltzmann(network, design.i0_last_ratio)
        ground = network.energies(states) == circuit.ground_energy
        found["valid_state_ratio"] = float(probabilities[ground & fulfilled(circuit, states)].sum())
    return found
