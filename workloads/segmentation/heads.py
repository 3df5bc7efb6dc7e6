"""What turns feature maps into maps of class scores: FCN, DeepLabV3 and L-RASPP heads."""

from __future__ import annotations

from hwsim.graph.build import GraphBuilder
from workloads.segmentation.backbone import normalized

_ASPP_WIDTH = 256
_ASPP_RATES = (12, 24, 36)
_LRASPP_WIDTH = 128


def enlarge(b: GraphBuilder, x: str, like: str, name: str) -> str:
    """Add a bilinear resampling of `x` to the height and width of `like`."""
    sizes = (*b.tensor(x).shape[:2], *b.tensor(like).shape[2:])
    return b.add("resize", x, name=name, sizes=sizes, mode="linear")


def fcn_head(b: GraphBuilder, x: str, classes: int, name: str) -> str:
    """Add a 3x3 convolution to a quarter of the channels and a 1x1 convolution to the classes."""
    x = normalized(b, x, b.tensor(x).shape[1] // 4, 3, f"{name}.conv")
    return b.conv(x, classes, 1, name=f"{name}.classes")


def deeplab_head(b: GraphBuilder, x: str, classes: int, name: str) -> str:
    """Add atrous spatial pyramid pooling (Chen et al. 2017), a 3x3 convolution and one to the classes."""
    branches = [normalized(b, x, _ASPP_WIDTH, 1, f"{name}.rate1")]
    branches += [
        normalized(b, x, _ASPP_WIDTH, 3, f"{name}.rate{rate}", dilation=rate) for rate in _ASPP_RATES
    ]
    pooled = normalized(b, b.global_average_pool(x, f"{name}.pool"), _ASPP_WIDTH, 1, f"{name}.pooled")
    branches.append(enlarge(b, pooled, x, f"{name}.pooled_resize"))
    x = b.concatenate(branches, 1, f"{name}.concatenate")
    x = normalized(b, x, _ASPP_WIDTH, 1, f"{name}.project")
    x = normalized(b, x, _ASPP_WIDTH, 3, f"{name}.conv")
    return b.conv(x, classes, 1, name=f"{name}.classes")


def lraspp_head(b: GraphBuilder, low: str, high: str, classes: int, name: str) -> str:
    """Add the lite reduced pyramid (Howard et al. 2019) over maps of an eighth and a sixteenth."""
    x = normalized(b, high, _LRASPP_WIDTH, 1, f"{name}.high")
    weights = b.global_average_pool(high, f"{name}.pool")
    weights = b.conv(weights, _LRASPP_WIDTH, 1, bias=False, name=f"{name}.weights")
    weights = b.elementwise("sigmoid", weights, name=f"{name}.sigmoid")
    x = b.elementwise("multiply", x, weights, name=f"{name}.scale")
    x = enlarge(b, x, low, f"{name}.resize")
    fine = b.conv(low, classes, 1, name=f"{name}.low_classes")
    return b.sum(fine, b.conv(x, classes, 1, name=f"{name}.high_classes"), f"{name}.add")
