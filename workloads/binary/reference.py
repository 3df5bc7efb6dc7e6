"""The noiseless binary network in numpy: what a chip's arithmetic is compared with."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
EPSILON = 1e-5


def signs(x: Floats) -> Floats:
    """Return 1 where x >= 0 and -1 elsewhere."""
    return np.where(x >= 0, 1.0, -1.0)


def columns(x: Floats) -> Floats:
    """Return the 3 x 3 windows of [n, c, h, w], zeros around, as [n * h * w, c * 9]."""
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
    return windows.transpose(0, 2, 3, 1, 4, 5).reshape(-1, x.shape[1] * 9)


def classify(
    names: Sequence[str], pools: Collection[str], arrays: Mapping[str, Floats], x: Floats
) -> NDArray[np.int64]:
    """Return the class of every sample of `x` [n, ...] by the layers `names` with weights from `arrays`."""
    for index, name in enumerate(names):
        weights = arrays[f"{name}.weight"]
        spatial = name.startswith("conv")
        rows = columns(x) if spatial else x.reshape(len(x), -1)
        sums = rows @ weights.reshape(len(weights), -1).T
        if index == len(names) - 1:
            break
        if spatial:
            sums = sums.reshape(len(x), *x.shape[2:], -1).transpose(0, 3, 1, 2)
        if name in pools:
            n, c, height, width = sums.shape
            sums = sums.reshape(n, c, height // 2, 2, width // 2, 2).max(axis=(3, 5))
        norm = f"bn{name[len('conv') if spatial else len('fc'):]}"
        part = {key: arrays[f"{norm}.{key}"].reshape(1, -1, *(1,) * (sums.ndim - 2))
                for key in ("scale", "bias", "mean", "variance")}
        deviation = np.sqrt(part["variance"] + EPSILON)
        x = signs(part["scale"] * (sums - part["mean"]) / deviation + part["bias"])
    found: NDArray[np.int64] = (sums + arrays[f"{names[-1]}.bias"]).argmax(axis=1)
    return found
