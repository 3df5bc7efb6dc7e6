"""Semantic segmentation: FCN and DeepLabV3 on a dilated ResNet-50, L-RASPP on MobileNetV3."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from hwsim.graph.types import Graph
from workloads.layers import start
from workloads.mobilenet_v3.layers import LARGE, features
from workloads.segmentation.backbone import dilated_resnet50
from workloads.segmentation.heads import deeplab_head, enlarge, fcn_head, lraspp_head
from workloads.types import ImageConfig, Workload

# The fourth block of MobileNetV3-large leaves maps of an eighth of the image.
_LRASPP_LOW = 4


class SegmentationConfig(ImageConfig):
    """Knobs of a segmentation network."""

    classes: int = Field(default=21, ge=1, description="Number of classes, background included.")
    head: Literal["fcn", "deeplabv3", "lraspp"] = Field(
        default="deeplabv3", description="fcn and deeplabv3 sit on ResNet-50, lraspp on MobileNetV3-large."
    )
    auxiliary: bool = Field(
        default=False, description="A second FCN head on the third stage of ResNet-50, as in training."
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.auxiliary and self.head == "lraspp":
            raise ValueError("auxiliary heads belong to fcn and deeplabv3; the head is lraspp")
        return self


def build(config: SegmentationConfig) -> Graph:
    """Return a segmentation network; its results have the height and width of the image.

    Raises
    ------
    hwsim.errors.GraphError
        The image is too small.
    """
    b = start("segmentation", config)
    image = b.input("image", (config.batch, config.image_channels, config.image_size, config.image_size))
    if config.head == "lraspp":
        maps = features(b, image, LARGE, dilated=True)
        x = lraspp_head(b, maps[_LRASPP_LOW], maps[-1], config.classes, "head")
        b.output(enlarge(b, x, image, "scores"))
        return b.build()
    third, fourth = dilated_resnet50(b, image)
    head = fcn_head if config.head == "fcn" else deeplab_head
    b.output(enlarge(b, head(b, fourth, config.classes, "head"), image, "scores"))
    if config.auxiliary:
        x = fcn_head(b, third, config.classes, "auxiliary")
        b.output(enlarge(b, x, image, "auxiliary_scores"))
    return b.build()


WORKLOADS = (
    Workload(
        name="segmentation",
        description="Networks that label every pixel: FCN, DeepLabV3, L-RASPP",
        config=SegmentationConfig,
        build=build,
        presets={
            "deeplabv3_resnet50": SegmentationConfig(),
            "deeplabv3_resnet50_aux": SegmentationConfig(auxiliary=True, image_size=520),
            "fcn_resnet50": SegmentationConfig(head="fcn"),
            "fcn_resnet50_aux": SegmentationConfig(head="fcn", auxiliary=True, image_size=520),
            "lraspp_mobilenet_v3_large": SegmentationConfig(head="lraspp"),
        },
        source="torchvision models/segmentation; counts measured there",
        notes={
            "deeplabv3_resnet50": "224 pixels, the size of the scheduling literature.",
            "deeplabv3_resnet50_aux": "520 pixels and the auxiliary head, as torchvision counts it.",
            "fcn_resnet50": "224 pixels, the size of the scheduling literature.",
            "fcn_resnet50_aux": "520 pixels and the auxiliary head, as torchvision counts it.",
        },
    ),
)
