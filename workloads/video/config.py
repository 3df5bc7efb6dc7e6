"""The knobs that networks over video clips share."""

from __future__ import annotations

from pydantic import Field

from workloads.types import ImageConfig


class VideoConfig(ImageConfig):
    """Knobs of networks that classify clips of square frames."""

    frames: int = Field(default=16, ge=1, description="Frames of a clip.")
    classes: int = Field(default=400, ge=1, description="Number of classes.")
