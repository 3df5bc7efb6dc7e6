"""Combinational circuits of gates and adder cells: array multipliers, ripple adders, single gates."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import BOOLEAN, Graph
from workloads.layers import start
from workloads.types import Workload, WorkloadConfig

LARGEST_MULTIPLIER_BITS = 16


class Circuit(StrEnum):
    """What a circuit computes."""

    MULTIPLIER = "multiplier"
    ADDER = "adder"
    BUFFER = "buffer"
    NOT = "not"
    AND = "and"
    OR = "or"
    NAND = "nand"
    NOR = "nor"
    XOR = "xor"
    HALF_ADDER = "half_adder"
    FULL_ADDER = "full_adder"


class CircuitConfig(WorkloadConfig):
    """Knobs of a circuit; wires are bits whatever `format` says, and `batch` operands follow each other."""

    circuit: Circuit = Field(default=Circuit.MULTIPLIER, description="What the circuit computes.")
    bits: int = Field(default=4, ge=1, le=64, description="Bits of each operand of a multiplier or adder.")

    @model_validator(mode="after")
    def _size(self) -> Self:
        if self.circuit is Circuit.MULTIPLIER and not 2 <= self.bits <= LARGEST_MULTIPLIER_BITS:
            raise ValueError(f"a multiplier has 2 to {LARGEST_MULTIPLIER_BITS} bits, not {self.bits}")
        return self


def build(config: CircuitConfig) -> Graph:
    """Return a circuit over wires A[i], B[i] and P[i] (product) or S[i] (sum); gates use A, B, Y, S, C."""
    b = start("logic_circuits", config)
    if config.circuit is Circuit.MULTIPLIER:
        _multiplier(b, config)
    elif config.circuit is Circuit.ADDER:
        _adder(b, config)
    elif config.circuit in (Circuit.HALF_ADDER, Circuit.FULL_ADDER):
        names = ["A", "B"] if config.circuit is Circuit.HALF_ADDER else ["A", "B", "Ci"]
        carry = "C" if config.circuit is Circuit.HALF_ADDER else "Co"
        b.output(
            *b.add_many(
                "adder_cell", [_wire(b, name, config) for name in names], name="adder", outputs=["S", carry]
            )
        )
    else:
        names = ["A"] if config.circuit in (Circuit.BUFFER, Circuit.NOT) else ["A", "B"]
        b.output(
            b.add(
                "logic_gate",
                [_wire(b, name, config) for name in names],
                name="gate",
                outputs=["Y"],
                function=config.circuit.value,
            )
        )
    return b.build()


def _wire(b: GraphBuilder, name: str, config: CircuitConfig) -> str:
    return b.input(name, (config.batch,), format=BOOLEAN)


def _bus(b: GraphBuilder, name: str, config: CircuitConfig) -> list[str]:
    return [_wire(b, f"{name}[{i}]", config) for i in range(config.bits)]


def _cell(b: GraphBuilder, operands: list[str], total: str, carry: str) -> tuple[str, str]:
    """Add a half adder of two operands or a full adder of three; return its sum and carry."""
    found = b.add_many("adder_cell", operands, name=f"add.{total}", outputs=[total, carry])
    return found[0], found[1]


def _multiplier(b: GraphBuilder, config: CircuitConfig) -> None:
    """Write N rows of N partial products, added row by row: N^2 AND, N half and N (N - 2) full adders."""
    n = config.bits
    a_bus, b_bus = _bus(b, "A", config), _bus(b, "B", config)
    partial = [
        [
            b.add(
                "logic_gate",
                [a_bus[i], b_bus[j]],
                name=f"and.{j}.{i}",
                function="and",
                outputs=["P[0]" if i == j == 0 else f"m{j}.{i}"],
            )
            for i in range(n)
        ]
        for j in range(n)
    ]
    product, above = [partial[0][0]], partial[0][1:]
    for j in range(1, n):
        sums: list[str] = []
        carry = ""
        for i in range(n):
            operands = [partial[j][i], *above[i : i + 1], *([carry] if carry else [])]
            last = j == n - 1
            total = f"P[{j + i}]" if i == 0 or last else f"s{j}.{i}"
            out = f"P[{j + n}]" if last and i == n - 1 else f"c{j}.{i}"
            total, carry = _cell(b, operands, total, out)
            sums.append(total)
        product.append(sums[0])
        above = [*sums[1:], carry]
    b.output(*product, *above)


def _adder(b: GraphBuilder, config: CircuitConfig) -> None:
    """Write a ripple adder: one half adder, then full adders; the last carry is the top bit of S."""
    a_bus, b_bus = _bus(b, "A", config), _bus(b, "B", config)
    sums: list[str] = []
    carry = ""
    for i in range(config.bits):
        out = f"S[{config.bits}]" if i == config.bits - 1 else f"c{i}"
        total, carry = _cell(b, [a_bus[i], b_bus[i], *([carry] if carry else [])], f"S[{i}]", out)
        sums.append(total)
    b.output(*sums, carry)


_GATES = [circuit for circuit in Circuit if circuit not in (Circuit.MULTIPLIER, Circuit.ADDER)]

WORKLOADS = (
    Workload(
        name="logic_circuits",
        description="Array multipliers, ripple adders and single gates, for chips that run circuits",
        config=CircuitConfig,
        build=build,
        presets={
            **{f"multiplier_{n}x{n}": CircuitConfig(bits=n) for n in range(2, LARGEST_MULTIPLIER_BITS + 1)},
            **{f"adder_{n}": CircuitConfig(circuit=Circuit.ADDER, bits=n) for n in (4, 8, 16, 32)},
            **{f"gate_{gate.value}": CircuitConfig(circuit=gate) for gate in _GATES},
        },
        source="textbook array multiplier and ripple adder; Smithson et al., TCAS-I 2019, for their use",
    ),
)
