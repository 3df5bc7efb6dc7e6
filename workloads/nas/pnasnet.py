"""PNASNet-5 (Liu et al. 2018) for ImageNet: one cell, which also halves the maps when it has stride 2.

Cell and networks: tensorflow/models research/slim/nets/nasnet/pnasnet.py (`read` at 03cdc5f).
"""

from __future__ import annotations

from pydantic import Field

from hwsim.graph.types import Graph
from workloads.layers import global_pool, start
from workloads.nas.slim import Cell, slim_cell, stem
from workloads.types import ImageConfig, Repeats

CELL = Cell(
    (
        (("separable_5", 1), ("max", 1)),
        (("separable_7", 0), ("max", 0)),
        (("separable_5", 0), ("separable_3", 0)),
        (("separable_3", 4), ("max", 0)),
        (("separable_3", 1), ("none", 0)),
    ),
    (2, 3, 4, 5, 6),
)


class PnasnetConfig(ImageConfig):
    """Knobs of PNASNet-5."""

    cells: Repeats = Field(default=9, description="Cells after the stem; those at one and two thirds halve.")
    width: int = Field(
        default=54, ge=4, description="Channels of a state in the first cells; doubles at a reduction."
    )
    stem_width: int = Field(default=32, ge=1, description="Channels of the first convolution.")


def build(config: PnasnetConfig) -> Graph:
    """Return PNASNet-5 without the auxiliary head of training.

    Raises
    ------
    hwsim.errors.GraphError
        The image is too small.
    """
    b = start("pnasnet5", config)
    x = b.input("image", (config.batch, config.image_channels, config.image_size, config.image_size))
    outputs = ["", stem(b, x, config.stem_width)]
    for index, width in enumerate((config.width // 4, config.width // 2)):
        outputs.append(slim_cell(b, CELL, outputs[-1], outputs[-2], width, 2, f"stem_cell{index}"))
    width = config.width
    for index in range(config.cells):
        reduction = index in (config.cells // 3, 2 * config.cells // 3)
        width *= 1 + reduction
        outputs.append(slim_cell(b, CELL, outputs[-1], outputs[-2], width, 1 + reduction, f"cell{index}"))
    x = b.relu(outputs[-1], "relu")
    b.output(b.linear(global_pool(b, x, "avgpool"), config.classes, name="classifier"))
    return b.build()
