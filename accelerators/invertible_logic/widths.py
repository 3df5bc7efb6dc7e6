"""Widths of adders and counters: what area and energy of a spin gate are in proportion to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accelerators.invertible_logic.circuit import Circuit, circuit_of, spin_network
from accelerators.invertible_logic.design import InvertibleLogicDesign
from accelerators.invertible_logic.hamiltonian import SpinNetwork
from hwsim.graph.types import Graph

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Built:
    """A circuit, its spins, and what each is built of.

    Attributes
    ----------
    circuit : Circuit
        Gates and wires.
    network : SpinNetwork
        Biases and couplings.
    bits : int64[spins]
        Bits of the adders and the counter of every spin.
    """

    circuit: Circuit
    network: SpinNetwork
    bits: Ints


def built(graph: Graph, design: InvertibleLogicDesign) -> Built:
    """Return the spins of `graph` with the bits they are built of.

    A spin adds its nonzero couplings, its bias and the noise, and the sum to its counter: one adder per term,
    as wide as the largest field with noise and a sign. The counter has ceil(log2) of its states.
    """
    circuit = circuit_of(graph)
    network = spin_network(circuit)
    terms = np.diff(network.offsets) + (network.h != 0) + 1
    widths = np.array(
        [int(field + design.noise_weight).bit_length() + 1 for field in network.fields], np.int64
    )
    return Built(circuit, network, terms * widths + design.counter_bits)
