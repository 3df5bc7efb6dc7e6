"""An estimate from standard cells, for chips that were described and not built.

Energies are those of 45 nm additions and small memories by their bits (Horowitz 2014), scaled by E ~ L V^2;
areas and leakage those of 40 nm functional units (Shao et al. 2014). A chip quotes what it uses in its own
``constants.toml``, under the names that are read here; tests hold all quotes equal.
"""

from __future__ import annotations

from dataclasses import dataclass

from hwsim.constants import Constants
from hwsim.physics import scale_area, scale_energy_constant_field
from hwsim.sourced import Sourced, chosen


@dataclass(frozen=True, slots=True)
class Cells:
    """Prices at one node and supply.

    Attributes
    ----------
    constants : Constants
        Quotes of the chip.
    node_m, supply_v : float
        Node and supply of the design; columns in a family.
    """

    constants: Constants
    node_m: float
    supply_v: float

    def scaled(self, energy: Sourced) -> Sourced:
        """Return an energy of the table (45 nm, 0.9 V) at node and supply of the design."""
        c = self.constants
        return scale_energy_constant_field(
            energy, c.reference_node_m, self.node_m, c.reference_supply_v, self.supply_v
        )

    @property
    def add_j_per_bit(self) -> Sourced:
        """Addition or comparison of one bit: an eighth of that of 8 bits."""
        return self.scaled(self.constants.add_int8_j / chosen(8, "_bits", "8 bits"))

    @property
    def gate_j_per_bit(self) -> Sourced:
        """A gate on one bit, as a share of a full adder."""
        return self.add_j_per_bit * self.constants.gate_per_full_adder_ratio

    @property
    def multiply_j_per_bit(self) -> Sourced:
        """Multiplication, by one bit of its 8."""
        return self.scaled(self.constants.multiply_int8_j / chosen(8, "_bits", "8 bits"))

    @property
    def memory_j_per_bit(self) -> Sourced:
        """Access to one bit of a word of an 8 KiB memory."""
        return self.scaled(self.constants.sram_8kib_access_j / self.constants.sram_word_bits)

    @property
    def adder_bit_m2(self) -> Sourced:
        """Area of one bit of an adder at 40 nm, to be counted and passed to `area`."""
        return self.constants.adder_32b_m2 / 32

    @property
    def adder_bit_leakage_w(self) -> Sourced:
        """Leakage of one bit of an adder, taken as it is at every node."""
        return self.constants.adder_32b_leakage_w / 32

    def area(self, at_40_nm: Sourced) -> Sourced:
        """Return an area at the node of the design."""
        return scale_area(at_40_nm, self.constants.aladdin_node_m, self.node_m)

    def memory_area(self, bits: int) -> Sourced:
        """Return the area of memory cells, in squares of the node."""
        square = chosen(self.node_m, "_m", "design.node_m") ** 2
        return self.constants.sram_cell_squares_ratio * square * bits

    def memory_leakage(self, bits: int) -> Sourced:
        """Return the leakage of memory cells."""
        return self.constants.sram_cell_leakage_w * bits
