"""NASNet-A (Zoph et al. 2018) for ImageNet and CIFAR-10.

Cells and configurations: tensorflow/models research/slim/nets/nasnet/nasnet_utils.py and nasnet.py (`read`
at 08eebbc and 03cdc5f). The order of cells is that of Cadene/pretrained-models.pytorch nasnet_mobile.py
(`read` at 25b4abd), and of timm's nasnetalarge for the large form (by its counts).
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hwsim.graph.types import Graph
from workloads.layers import global_pool, start
from workloads.nas.slim import Cell, slim_cell, stem
from workloads.types import ImageConfig, Repeats

NORMAL = Cell(
    (
        (("separable_5", 0), ("separable_3", 1)),
        (("separable_5", 1), ("separable_3", 1)),
        (("average", 0), ("none", 1)),
        (("average", 1), ("average", 1)),
        (("separable_3", 0), ("none", 0)),
    ),
    (1, 2, 3, 4, 5, 6),
)
REDUCTION = Cell(
    (
        (("separable_5", 0), ("separable_7", 1)),
        (("max", 0), ("separable_7", 1)),
        (("average", 0), ("separable_5", 1)),
        (("none", 3), ("average", 2)),
        (("separable_3", 2), ("max", 0)),
    ),
    (3, 4, 5, 6),
)


class NasnetConfig(ImageConfig):
    """Knobs of NASNet-A."""

    cells: Repeats = Field(
        default=12, description="Normal cells; a reduction cell comes before those at one and two thirds."
    )
    width: int = Field(
        default=44, ge=4, description="Channels of a state in the first cells; doubles at a reduction."
    )
    stem_width: int = Field(default=32, ge=1, description="Channels of the first convolution.")
    stem: Literal["imagenet", "cifar"] = Field(
        default="imagenet",
        description="imagenet: 3x3 convolution of stride 2 and two reduction cells; cifar: 3x3 convolution.",
    )
    skip_reduction_input: bool = Field(
        default=False,
        description="After a reduction cell, take as the earlier input what that cell took (large form).",
    )


def build(config: NasnetConfig) -> Graph:
    """Return NASNet-A without the auxiliary head of training.

    Raises
    ------
    hwsim.errors.GraphError
        The image is too small.
    """
    b = start("nasnet_a", config)
    x = b.input("image", (config.batch, config.image_channels, config.image_size, config.image_size))
    if config.stem == "imagenet":
        outputs = ["", stem(b, x, config.stem_width)]
        for index, width in enumerate((config.width // 4, config.width // 2)):
            outputs.append(slim_cell(b, REDUCTION, outputs[-1], outputs[-2], width, 2, f"stem_cell{index}"))
    else:
        x = b.conv(x, config.stem_width, 3, padding=1, bias=False, name="stem")
        outputs = ["", b.batch_norm(x, "stem_bn")]
    width = config.width
    for index in range(config.cells):
        earlier = outputs[-2]
        if index in (config.cells // 3, 2 * config.cells // 3):
            width *= 2
            outputs.append(slim_cell(b, REDUCTION, outputs[-1], outputs[-2], width, 2, f"reduction{index}"))
        if not config.skip_reduction_input:
            earlier = outputs[-2]
        outputs.append(slim_cell(b, NORMAL, outputs[-1], earlier, width, 1, f"cell{index}"))
    x = b.relu(outputs[-1], "relu")
    b.output(b.linear(global_pool(b, x, "avgpool"), config.classes, name="classifier"))
    return b.build()
