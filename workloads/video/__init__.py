"""Classifiers of video clips with 3-D convolutions: R(2+1)D-18 and S3D."""

from __future__ import annotations

from workloads.types import Workload
from workloads.video.config import VideoConfig
from workloads.video.r2plus1d import build as build_r2plus1d
from workloads.video.s3d import build as build_s3d

WORKLOADS = (
    Workload(
        name="r2plus1d",
        description="R(2+1)D-18: convolutions over space, then over time",
        config=VideoConfig,
        build=build_r2plus1d,
        presets={
            "r2plus1d_18": VideoConfig(image_size=112),
            "r2plus1d_18_224": VideoConfig(),
        },
        source="torchvision models/video/resnet.py; counts measured there",
        notes={"r2plus1d_18_224": "224 pixels, the size of the scheduling literature."},
    ),
    Workload(
        name="s3d",
        description="S3D: nine inception modules with separable 3-D convolutions",
        config=VideoConfig,
        build=build_s3d,
        presets={"s3d": VideoConfig()},
        source="torchvision models/video/s3d.py; counts measured there",
    ),
)
