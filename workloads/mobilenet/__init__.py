"""MobileNetV1 and V2: depthwise and pointwise convolutions, with a width multiplier."""

from __future__ import annotations

from workloads.mobilenet.v1 import MobileNetV1Config
from workloads.mobilenet.v1 import build as build_v1
from workloads.mobilenet.v2 import MobileNetV2Config
from workloads.mobilenet.v2 import build as build_v2
from workloads.types import Workload

WORKLOADS = (
    Workload(
        name="mobilenet_v1",
        description="MobileNetV1: 13 pairs of depthwise and pointwise convolutions",
        config=MobileNetV1Config,
        build=build_v1,
        presets={
            "mobilenet_v1": MobileNetV1Config(),
            "mobilenet_v1_192": MobileNetV1Config(image_size=192),
            "mobilenet_v1_075": MobileNetV1Config(width=0.75),
            "mobilenet_v1_050": MobileNetV1Config(width=0.5),
            "mobilenet_v1_025": MobileNetV1Config(width=0.25),
            "mobilenet_v1_025_96": MobileNetV1Config(width=0.25, image_size=96, classes=2),
        },
        source="tensorflow/models research/slim/nets/mobilenet_v1.md",
        notes={
            "mobilenet_v1_075": "The source gives 317 M MACs for these shapes; counted, they are 325.4 M.",
            "mobilenet_v1_025_96": "The size of the visual wake words task.",
        },
    ),
    Workload(
        name="mobilenet_v2",
        description="MobileNetV2: 17 inverted residual blocks",
        config=MobileNetV2Config,
        build=build_v2,
        presets={
            "mobilenet_v2": MobileNetV2Config(),
            "mobilenet_v2_140": MobileNetV2Config(width=1.4),
            "mobilenet_v2_050": MobileNetV2Config(width=0.5),
            "mobilenet_v2_035_144": MobileNetV2Config(width=0.35, image_size=144, head=448),
        },
        source="torchvision models/mobilenetv2.py; 0.35 at 144 pixels: mit-han-lab/mcunet",
        notes={"mobilenet_v2_035_144": "The head of 448 channels is the one of the MCUNet model zoo."},
    ),
)
