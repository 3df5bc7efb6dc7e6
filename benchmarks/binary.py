"""Speed of aqfp_bnn: noisy VGG-small, path balancing, costing a network, and re-pricing designs.

    python benchmarks/binary.py

One core, processor time, because machines are shared; best of several, and ratios are of this run. Noisy
VGG-small runs its five binary convolutions on CIFAR-sized random inputs with crossbars of 72 and streams of
16 cycles; the first convolution and the last layer are of full precision and run elsewhere.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np

from accelerators.aqfp_bnn.balancing import balance
from accelerators.aqfp_bnn.circuits import multiplier_netlist
from accelerators.aqfp_bnn.crossbars import program, run_layer
from accelerators.aqfp_bnn.design import PRESETS, AqfpBnnDesign, Sampling
from accelerators.aqfp_bnn.host import compute
from accelerators.aqfp_bnn.mapping import module_of
from accelerators.aqfp_bnn.network import Network
from accelerators.aqfp_bnn.neuron import gray_zone_products
from hwsim import registry
from hwsim.graph.types import FormatKind, Graph, Role
from hwsim.run import evaluate, load
from hwsim.sweep.family import evaluate_family

NETWORKS = ("vgg_small_bnn", "resnet20_bnn", "resnet18_cifar_bnn", "resnet18_bnn", "mlp_lfc_bnn", "cnv_bnn")
Values = np.ndarray


def best_s(action: Callable[[], object], rounds: int) -> float:
    """Return the shortest of `rounds` runs, after one that compiles."""
    action()
    found = []
    for _ in range(rounds):
        begin = time.process_time()
        action()
        found.append(time.process_time() - begin)
    return min(found)


def say(what: str, value: str, target: str = "") -> None:
    sys.stdout.write(f"{what:<62}{value:>16}   {target}\n")


def random_values(graph: Graph) -> dict[str, Values]:
    """Return weights and statistics of a network at random."""
    rng, found = np.random.default_rng(0), {}
    for tensor in graph.tensors.values():
        if tensor.role in (Role.WEIGHT, Role.CONSTANT):
            binary = tensor.format.kind is FormatKind.BINARY
            found[tensor.name] = (
                rng.choice([-1.0, 1.0], tensor.shape) if binary else rng.random(tensor.shape) + 0.5
            )
    return found


def binary_part(graph: Graph, design: AqfpBnnDesign, noisy: bool) -> Callable[[], Values]:
    """Return a run of all binary layers of VGG-small on one random input, noisy or in floating point."""
    fixed = random_values(graph)
    layers = Network(graph).layers
    own = [program(graph, layer, fixed, design.crossbar_size) for layer in layers]
    zone = gray_zone_products(design)
    first = np.random.default_rng(1).choice(
        [-1.0, 1.0], (1, *graph.tensors[layers[0].product.left].shape[1:])
    )

    def run() -> Values:
        values = first
        for place, layer in enumerate(layers):
            if noisy:
                values = run_layer(graph, own[place], values, design, zone, place)
                continue
            held = {layer.product.left: values}
            for op in (layer.op, *layer.posts):
                operands = [held[name] if name in held else fixed[name] for name in op.inputs]
                held[op.outputs[0]] = values = compute(graph, op, operands)
        return values

    return run


def main() -> int:
    """Print the table."""
    graph, design = load("vgg_small_bnn"), PRESETS["illustrative"]
    noisy = best_s(binary_part(graph, design, True), 5)
    bits = best_s(binary_part(graph, design.model_copy(update={"sampling": Sampling.BITWISE}), True), 2)
    plain = best_s(binary_part(graph, design, False), 3)
    say("noisy VGG-small, L = 16, crossbar 72, images/s", f"{1 / noisy:.1f}", "target: 3")
    say("the same bit by bit, images/s", f"{1 / bits:.2f}")
    say("binomial over bit by bit", f"{bits / noisy:.1f} x")
    say("noiseless in numpy, double precision, images/s", f"{1 / plain:.1f}")
    say("noisy over noiseless numpy", f"{plain / noisy:.2f} x")
    netlist = multiplier_netlist(16)
    built = balance(netlist)
    seconds = best_s(lambda: balance(netlist), 3)
    say("path balancing, 16-bit multiplier: junctions", f"{built.junctions:,}", "largest published: 36,750")
    say("seconds", f"{seconds:.2f}", "target: 2")
    for name in NETWORKS:
        network = load(name)
        module_of.cache_clear()
        begin = time.process_time()
        evaluate(network, "aqfp_bnn", on_unsupported="host")  # modules are balanced here
        cold = time.process_time() - begin
        warm = best_s(lambda network=network: evaluate(network, "aqfp_bnn", on_unsupported="host"), 5)
        say(f"cost of {name}, ms (first time)", f"{warm * 1e3:.1f} ({cold * 1e3:.0f})", "target: 20")
    reprice(graph)
    return 0


def reprice(graph: Graph) -> None:
    """Price 1,000 designs that differ in device parameters alone: one lowering, beside 1,000 of them."""
    accelerator = registry.load_accelerator("aqfp_bnn")
    base = accelerator.presets["superbnn"]
    kelvin, joules = (4.2, 4.5), [1e-22 * (1 + i) for i in range(500)]
    designs = [
        base.model_copy(update={"junction_j": j, "temperature_k": t, "cooling_ratio": 1000.0})
        for j in joules
        for t in kelvin
    ]
    seconds = best_s(lambda: evaluate_family(graph, accelerator, designs), 3)
    one = best_s(lambda: evaluate(graph, "aqfp_bnn"), 5)
    say("1,000 device points re-priced without lowering, s", f"{seconds:.2f}")
    say("one by one over that", f"{1000 * one / seconds:.0f} x")


if __name__ == "__main__":
    sys.exit(main())
