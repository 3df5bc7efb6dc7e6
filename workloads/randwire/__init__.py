"""RandWire (Xie et al. 2019): stages of separable convolutions wired by a random graph.

Regimes and node operation: the paper's table 1 and section 3 (`recalled-high`), and seungwonpark/RandWireNN
model/model.py and node.py (`read` at 49edae1 and 42ec377). The wiring is drawn from the seed: parameters and
MACs differ a little from seed to seed, because the number of input nodes of a stage does.
"""

from __future__ import annotations

from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator

from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import Graph
from workloads.layers import global_pool, start
from workloads.randwire.wiring import watts_strogatz
from workloads.types import ImageConfig, Workload

_HEAD = 1280


class RandWireConfig(ImageConfig):
    """Knobs of RandWire."""

    regime: Literal["small", "regular", "stage"] = Field(
        default="small",
        description="small: two convolutions, three random stages; regular: one convolution, four stages; "
        "stage: one convolution of stride 1 and one random stage.",
    )
    width: int = Field(default=78, ge=2, description="Channels C of the first whole stage.")
    nodes: int = Field(
        default=32, ge=3, le=1024, description="Nodes of a stage; half as many in the first regular one."
    )
    neighbours: int = Field(default=4, ge=2, multiple_of=2, description="Ring neighbours K of a node; even.")
    probability: float = Field(default=0.75, ge=0, le=1, description="Chance P that an edge is moved.")
    seed: int = Field(default=1, ge=0, description="Seed of the wiring; stages draw one after the other.")
    aggregation: Literal["weighted", "plain"] = Field(
        default="weighted",
        description="weighted: every edge multiplies by its own weight before the sum; plain: sum alone.",
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        least = self.nodes // 2 if self.regime == "regular" else self.nodes
        if self.neighbours >= least:
            raise ValueError(f"neighbours {self.neighbours} must be fewer than the {least} nodes of a stage")
        return self


def build(config: RandWireConfig) -> Graph:
    """Return a randomly wired network; equal seeds give equal networks.

    Raises
    ------
    hwsim.errors.GraphError
        The image is too small.
    """
    b = start("randwire", config)
    generator = np.random.Generator(np.random.PCG64(config.seed))
    x = b.input("image", (config.batch, config.image_channels, config.image_size, config.image_size))
    width, nodes = config.width, config.nodes
    if config.regime == "stage":
        x = _convolution(b, x, width, 3, 1, "conv1")
        x = _stage(b, config, x, width, nodes, generator, "stage1")
        b.output(b.linear(global_pool(b, x, "avgpool"), config.classes, name="classifier"))
        return b.build()
    x = _convolution(b, x, width // 2, 3, 2, "conv1")
    if config.regime == "small":
        x = _convolution(b, b.relu(x, "conv1_relu"), width, 3, 2, "conv2")
        plan = [(width, nodes), (2 * width, nodes), (4 * width, nodes)]
    else:
        plan = [(width, nodes // 2), (2 * width, nodes), (4 * width, nodes), (8 * width, nodes)]
    for index, (channels, count) in enumerate(plan, start=1):
        x = _stage(b, config, x, channels, count, generator, f"stage{index}")
    x = _convolution(b, b.relu(x, "last_relu"), _HEAD, 1, 1, "head")
    x = global_pool(b, b.relu(x, "head_relu"), "avgpool")
    b.output(b.linear(x, config.classes, name="classifier"))
    return b.build()


def _convolution(b: GraphBuilder, x: str, channels: int, kernel: int, stride: int, name: str) -> str:
    x = b.conv(x, channels, kernel, stride=stride, padding=kernel // 2, bias=False, name=name)
    return b.batch_norm(x, f"{name}_bn")


def _stage(
    b: GraphBuilder,
    config: RandWireConfig,
    x: str,
    channels: int,
    nodes: int,
    generator: np.random.Generator,
    name: str,
) -> str:
    """Add a random stage: input nodes have stride 2, results that nobody reads are averaged.

    Every node begins with a ReLU; the input nodes, which all read `x`, share theirs.
    """
    wiring = watts_strogatz(nodes, config.neighbours, config.probability, generator)
    entry = b.relu(x, f"{name}.relu")
    results: list[str] = []
    for node, sources in enumerate(wiring):
        label = f"{name}.node{node}"
        value = entry
        if sources:
            value = _aggregate(b, config, [results[source] for source in sources], label)
            value = b.relu(value, f"{label}.relu")
        have = b.tensor(value).shape[1]
        value = b.conv(
            value,
            have,
            3,
            stride=1 if sources else 2,
            padding=1,
            groups=have,
            bias=False,
            name=f"{label}.depthwise",
        )
        value = b.conv(value, channels, 1, bias=False, name=f"{label}.pointwise")
        results.append(b.batch_norm(value, f"{label}.bn"))
    read = {source for sources in wiring for source in sources}
    last = [result for node, result in enumerate(results) if node not in read]
    if len(last) == 1:
        return last[0]
    return b.elementwise("mean", *last, name=f"{name}.mean")


def _aggregate(b: GraphBuilder, config: RandWireConfig, parts: list[str], name: str) -> str:
    """Add the weighted sum; the sigmoid that keeps weights positive is folded into them."""
    if config.aggregation == "weighted":
        parts = [
            b.elementwise(
                "multiply", part, b.weight(f"{name}.weight{index}", (1,)), name=f"{name}.weigh{index}"
            )
            for index, part in enumerate(parts)
        ]
    return parts[0] if len(parts) == 1 else b.elementwise("sum", *parts, name=f"{name}.sum")


def _one_stage(nodes: int) -> RandWireConfig:
    return RandWireConfig(
        regime="stage", nodes=nodes, width=19, image_size=56, classes=10, aggregation="plain"
    )


WORKLOADS = (
    Workload(
        name="randwire",
        description="Randomly wired stages of separable convolutions",
        config=RandWireConfig,
        build=build,
        presets={
            "randwire_small": RandWireConfig(),
            "randwire_regular": RandWireConfig(regime="regular", width=109),
            "randwire_regular_154": RandWireConfig(regime="regular", width=154),
            "randwire_ws16x1": _one_stage(16),
            "randwire_ws32x1": _one_stage(32),
        },
        source="Xie et al. 2019, WS(4, 0.75) (recalled-high); seungwonpark/RandWireNN (read)",
        notes={
            "randwire_small": "C = 78; the paper gives 583 M MACs and 5.6 M parameters (recalled-high).",
            "randwire_regular": "C = 109; the paper gives 4.0 G MACs and 31.9 M parameters (recalled-high).",
            "randwire_regular_154": "C = 154; the paper gives 7.9 G and 61.5 M (recalled-high).",
            "randwire_ws16x1": "One stage of 16 nodes, a quarter of the small form in width and pixels.",
            "randwire_ws32x1": "One stage of 32 nodes, a quarter of the small form in width and pixels.",
        },
    ),
)
