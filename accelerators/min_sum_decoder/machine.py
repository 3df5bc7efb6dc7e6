"""The decoder edge by edge: in every clock each processor takes one edge of its check or of its variable."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelerators.min_sum_decoder.arithmetic import decoder_of, integer_weights, quantized, tables
from accelerators.min_sum_decoder.design import MinSumDesign, Rule
from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import INT8, Graph, Op
from hwsim.model.types import MachineResult

Events = Counter[tuple[str, str]]


def random_graph(rng: np.random.Generator) -> Graph:
    """Return one to three iterations on a random small code, by a random rule, for a few codewords."""
    length, checks = int(rng.integers(3, 12)), int(rng.integers(1, 6))
    rows = [
        sorted(rng.choice(length, int(rng.integers(2, length + 1)), replace=False).tolist())
        for _ in range(checks)
    ]
    degrees, variables = [len(row) for row in rows], [bit for row in rows for bit in row]
    rule = str(rng.choice([rule.value for rule in Rule]))
    search = str(rng.choice(["tournament", "sequential"]))
    frames = int(rng.integers(1, 4))
    b = GraphBuilder("random", format=INT8)
    llr, messages = b.input("llr", (frames, length)), b.state("messages", (frames, len(variables)))
    totals = llr
    for t in range(int(rng.integers(1, 4))):
        operands = [totals, messages]
        if rule in (Rule.OFFSET_MIN_SUM, Rule.NORMALIZED_MIN_SUM):
            shape = () if rng.integers(2) else (len(variables),)
            operands.append(b.weight(f"weights_{t}", shape))
        messages = b.add(
            "check_nodes",
            operands,
            name=f"checks_{t}",
            degrees=degrees,
            variables=variables,
            rule=rule,
            search=search,
        )
        totals = b.add("variable_nodes", [llr, messages], name=f"variables_{t}", variables=variables)
    b.output(totals)
    return b.build()


@dataclass
class Draw:
    """Random operands of a network: integer LLRs [frames, n], and integer weights [E] by check operator."""

    llr: NDArray[np.int32]
    weights: dict[str, list[int]]


def draw(graph: Graph, design: MinSumDesign, rng: np.random.Generator) -> Draw:
    """Draw LLRs, some beyond saturation, and weights."""
    frames, length = graph.tensors["llr"].shape
    llr = quantized(rng.normal(0, design.largest / design.llr_steps_ratio, (frames, length)), design)
    rule_design = design.model_copy(update={"rule": _rule(graph)})
    weights = {}
    for op in graph.ops:
        if op.kind == "check_nodes" and len(op.inputs) > 2:
            shape = graph.tensors[op.inputs[2]].shape
            numbers = integer_weights(rng.uniform(0, 2, shape), rule_design)
            weights[op.name] = np.broadcast_to(numbers, len(op.ints("variables"))).tolist()
    return Draw(llr, weights)


def machine(graph: Graph, design: MinSumDesign, rng: np.random.Generator) -> MachineResult:
    """Step all phases; values are the totals of the last iteration, int64[frames, n]."""
    drawn = draw(graph, design, rng)
    frames = len(drawn.llr)
    stepped = _Stepper(design)
    messages = [[0] * len(graph.ops[0].ints("variables")) for _ in range(frames)]
    totals = drawn.llr.tolist()
    for op in graph.ops:
        for frame in range(frames):
            if op.kind == "check_nodes":
                messages[frame] = stepped.checks(
                    op, totals[frame], messages[frame], drawn.weights.get(op.name)
                )
                if op.name in drawn.weights:
                    shape = graph.tensors[op.inputs[2]].shape
                    stepped.events["weight_memory", "read"] += shape[0] if shape else 1
            else:
                totals[frame] = stepped.variables(op, drawn.llr[frame].tolist(), messages[frame])
    return MachineResult(np.array(totals, np.int64), stepped.clock, dict(stepped.events))


@dataclass
class _Stepper:
    """Edge processors with a clock, counting what they do."""

    design: MinSumDesign
    clock: int = 0
    events: Events = field(default_factory=Counter)

    def _edges(self, op: Op, free: bool = False) -> list[int]:
        """Return the edges in the order in which they are taken; the clock advances by groups."""
        edges = list(range(len(op.ints("variables"))))
        if not free:
            for start in range(0, len(edges), self.design.edge_processors):
                self.clock += 1
                self.events["processors", "edge"] += len(edges[start : start + self.design.edge_processors])
        return edges

    def checks(self, op: Op, totals: list[int], before: list[int], weights: list[int] | None) -> list[int]:
        """Let every edge of every check take its message in, and write the answers."""
        variables, largest = op.ints("variables"), self.design.largest
        edges, heard = self._edges(op), []
        for edge in edges:
            self.events["totals", "read"] += 1
            self.events["messages", "read"] += 1
            self.events["adders", "add"] += 1
            heard.append(max(-largest, min(largest, totals[variables[edge]] - before[edge])))
        told, start = [], 0
        for degree in op.ints("degrees"):
            incoming = heard[start : start + degree]
            if op.text("rule") == Rule.SUM_PRODUCT:
                told += self._products(incoming)
            else:
                own = weights[start : start + degree] if weights else None
                told += self._smallest(incoming, op, own)
            start += degree
        self.events["messages", "write"] += len(told)
        return told

    def _smallest(self, incoming: list[int], op: Op, weights: list[int] | None) -> list[int]:
        """Answer one check by the smallest of the other magnitudes and the product of the other signs."""
        magnitudes = [abs(value) for value in incoming]
        search = self._tournament if op.text("search") == "tournament" else self._sequence
        winner, runner_up = search(magnitudes)
        parity = False
        for place, value in enumerate(incoming):
            parity ^= value < 0
            self.events["signs", "logic"] += place > 0
        told = []
        for place, value in enumerate(incoming):
            magnitude = runner_up if place == winner else magnitudes[winner]
            if weights is not None:
                magnitude = self._weighted(magnitude, weights[place], op.text("rule"))
            self.events["signs", "logic"] += 1
            told.append(-magnitude if parity ^ (value < 0) else magnitude)
        return told

    def _weighted(self, magnitude: int, weight: int, rule: str) -> int:
        if rule == Rule.OFFSET_MIN_SUM:
            self.events["adders", "add"] += 1
            self.events["comparators", "compare"] += 1
            return max(magnitude - weight, 0)
        self.events["multipliers", "multiply"] += 1
        bits = self.design.factor_bits
        return min((magnitude * weight + (1 << bits >> 1)) >> bits, self.design.largest)

    def _sequence(self, magnitudes: list[int]) -> tuple[int, int]:
        """Return the place of the smallest, and the second smallest, one value after the other."""
        winner, second = 0, None
        for place in range(1, len(magnitudes)):
            self.events["comparators", "compare"] += 1
            if magnitudes[place] < magnitudes[winner]:
                winner, second = place, magnitudes[winner]
                self.events["comparators", "compare"] += place > 1
            elif second is None:
                second = magnitudes[place]
            else:
                self.events["comparators", "compare"] += 1
                second = min(second, magnitudes[place])
        return winner, int(second or 0)

    def _tournament(self, magnitudes: list[int]) -> tuple[int, int]:
        """Return the same by rounds of pairs: the second smallest lost against the smallest itself."""
        beaten: dict[int, list[int]] = {place: [] for place in range(len(magnitudes))}
        standing = list(beaten)
        while len(standing) > 1:
            following = []
            for a, b in zip(standing[::2], standing[1::2], strict=False):
                self.events["comparators", "compare"] += 1
                winner, loser = (a, b) if magnitudes[a] <= magnitudes[b] else (b, a)
                beaten[winner].append(loser)
                following.append(winner)
            standing = following + standing[len(following) * 2 :]
        return standing[0], self._runner_up(
            [magnitudes[place] for place in beaten[standing[0]]], len(magnitudes)
        )

    def _runner_up(self, losers: list[int], entrants: int) -> int:
        """Return the smallest of those beaten by the winner; the circuit compares as for the most rounds."""
        self.events["comparators", "compare"] += (entrants - 1).bit_length() - 1
        return min(losers)

    def _products(self, incoming: list[int]) -> list[int]:
        """Answer one check by tanh products: forward, backward, joined."""
        table, thresholds = tables(self.design)
        values = [float(table[abs(value)]) for value in incoming]
        self.events["tables", "special"] += 2 * len(values)
        self.events["multipliers", "multiply"] += 3 * (len(values) - 2)
        forward, backward = [1.0], [1.0]
        for value in values[:-1]:
            forward.append(forward[-1] * value)
        for value in values[:0:-1]:
            backward.append(backward[-1] * value)
        parity = sum(value < 0 for value in incoming) % 2 == 1
        told = []
        for place, value in enumerate(incoming):
            product = forward[place] * backward[-1 - place]
            magnitude = int((thresholds <= product).sum())
            told.append(-magnitude if parity ^ (value < 0) else magnitude)
        return told

    def variables(self, op: Op, llr: list[int], messages: list[int]) -> list[int]:
        """Add every message to the total of its variable."""
        totals, variables = list(llr), op.ints("variables")
        for edge in self._edges(op, free=self.design.combined_phases):
            totals[variables[edge]] += messages[edge]
            self.events["totals", "read"] += 1
            self.events["totals", "write"] += 1
            self.events["messages", "read"] += 1
            self.events["adders", "add"] += 1
        return totals


def _rule(graph: Graph) -> Rule:
    return Rule(graph.ops[0].text("rule"))


def reference(graph: Graph, design: MinSumDesign, rng: np.random.Generator) -> NDArray[Any]:
    """Return the totals of `machine` from dense matrices: masked minima, products over all other columns."""
    drawn, decoder, rule = draw(graph, design, rng), decoder_of(graph), _rule(graph)
    matrix = np.zeros((decoder.starts.size - 1, drawn.llr.shape[1]), bool)
    owner = np.repeat(np.arange(len(matrix)), np.diff(decoder.starts))
    matrix[owner, decoder.variables] = True
    largest, llr = design.largest, drawn.llr.astype(np.int64)
    told = np.zeros((len(llr), *matrix.shape), np.int64)
    for op in graph.ops[::2]:
        heard = np.clip((llr + told.sum(axis=1))[:, None, :] - told, -largest, largest)
        signs = np.where(matrix & (heard < 0), -1, 1).prod(axis=2, keepdims=True) * np.where(heard < 0, -1, 1)
        if rule is Rule.SUM_PRODUCT:
            size = _others_product(heard, matrix, design)
        else:
            size = _others_minimum(np.abs(heard), matrix)
        weights = np.zeros(matrix.shape, np.int64)
        weights[owner, decoder.variables] = drawn.weights.get(op.name, 0)
        if rule is Rule.OFFSET_MIN_SUM:
            size = np.maximum(size - weights, 0)
        elif rule is Rule.NORMALIZED_MIN_SUM:
            size = np.minimum(np.floor(size * weights / 2.0**design.factor_bits + 0.5), largest).astype(
                np.int64
            )
        told = np.where(matrix, signs * size, 0)
    totals: NDArray[np.int64] = llr + told.sum(axis=1)
    return totals


def _others_minimum(magnitudes: NDArray[np.int64], matrix: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return, per check and bit, the smallest magnitude among the other bits of the check."""
    far = np.where(matrix, magnitudes, 2**30)
    found = np.empty_like(far)
    for bit in range(matrix.shape[1]):
        found[:, :, bit] = np.delete(far, bit, axis=2).min(axis=2)
    return found


def _others_product(
    heard: NDArray[np.int64], matrix: NDArray[np.bool_], design: MinSumDesign
) -> NDArray[np.int64]:
    """Return, per check and bit, 2 atanh of the product of tanh(x / 2) of the others, in steps, as sums."""
    with np.errstate(divide="ignore"):
        logarithms = np.where(matrix, _phi(np.abs(heard) / design.llr_steps_ratio), 0.0)
        found = np.empty(heard.shape, np.int64)
        for bit in range(matrix.shape[1]):
            exact = design.llr_steps_ratio * _phi(np.delete(logarithms, bit, axis=2).sum(axis=2))
            found[:, :, bit] = np.minimum(np.floor(exact + 0.5), design.largest)
    return found


def _phi(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return -ln tanh(x / 2), its own inverse: products of tanh become sums (Gallager 1963)."""
    shrunk = np.exp(-x)
    found: NDArray[np.float64] = np.log1p(shrunk) - np.log(-np.expm1(-x))
    return found
