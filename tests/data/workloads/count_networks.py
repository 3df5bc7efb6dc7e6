"""Count MACs and parameters of networks in torch; run by hand, never by tests.

    python count_networks.py             write torch_counts.json beside this file
    python count_networks.py --out DIR   somewhere else (to compare with the committed file)

README.md says what to install and what the numbers mean. Nothing is downloaded: every network is built from
its class, without weights, on torch's meta device, so shapes are propagated and no arithmetic is done.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

Inputs = tuple[torch.Tensor, ...]
Builder = Callable[[], tuple[nn.Module, Inputs]]


def declare_missing_torchvision_operators() -> torch.library.Library | None:
    """Declare nms and qnms if torchvision's compiled operators do not load; keep the returned object alive."""
    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        return library
    return None


def image(size: int) -> Inputs:
    """Return one RGB image."""
    return (torch.zeros(1, 3, size, size),)


def video(frames: int, size: int) -> Inputs:
    """Return one RGB clip."""
    return (torch.zeros(1, 3, frames, size, size),)


def classifier(name: str, size: int = 224) -> Builder:
    """Return a builder of a torchvision classifier."""

    def build() -> tuple[nn.Module, Inputs]:
        import torchvision

        return getattr(torchvision.models, name)(weights=None), image(size)

    return build


def segmenter(name: str, size: int, auxiliary: bool) -> Builder:
    """Return a builder of a torchvision segmentation network with 21 classes."""

    def build() -> tuple[nn.Module, Inputs]:
        import torchvision

        options = {} if name.startswith("lraspp") else {"aux_loss": auxiliary}
        network = getattr(torchvision.models.segmentation, name)
        return network(weights=None, weights_backbone=None, num_classes=21, **options), image(size)

    return build


def video_classifier(name: str, frames: int, size: int) -> Builder:
    """Return a builder of a torchvision video classifier with 400 classes."""

    def build() -> tuple[nn.Module, Inputs]:
        import torchvision

        return getattr(torchvision.models.video, name)(weights=None), video(frames, size)

    return build


def timm_classifier(name: str, size: int) -> Builder:
    """Return a builder of a timm classifier with 1000 classes."""

    def build() -> tuple[nn.Module, Inputs]:
        import timm

        return timm.create_model(name, pretrained=False, num_classes=1000), image(size)

    return build


def nasnet_mobile() -> tuple[nn.Module, Inputs]:
    """Build NASNet-A mobile of the package pretrainedmodels, which is the one timm's large form came from."""
    from pretrainedmodels.models.nasnet_mobile import NASNetAMobile

    return NASNetAMobile(num_classes=1000), image(224)


def encoder_stack(layers: int, width: int, heads: int, hidden: int, tokens: int, pre_norm: bool) -> Builder:
    """Return a builder of torch's transformer encoder; the pre-norm form ends with a normalization."""

    def build() -> tuple[nn.Module, Inputs]:
        layer = nn.TransformerEncoderLayer(width, heads, hidden, batch_first=True, norm_first=pre_norm)
        norm = nn.LayerNorm(width) if pre_norm else None
        return nn.TransformerEncoder(layer, layers, norm=norm), (torch.zeros(1, tokens, width),)

    return build


def encoder_decoder_stack(tokens: int) -> Builder:
    """Return a builder of torch's transformer of the base size, six encoder and six decoder layers."""

    def build() -> tuple[nn.Module, Inputs]:
        sentence = torch.zeros(1, tokens, 512)
        return nn.Transformer(batch_first=True), (sentence, sentence.clone())

    return build


def vit_stack() -> tuple[nn.Module, Inputs]:
    """Build the encoder of torchvision's ViT-B/16 alone, with its positions and its last normalization."""
    import torchvision

    return torchvision.models.vit_b_16(weights=None).encoder, (torch.zeros(1, 197, 768),)


class UNet(nn.Module):
    """The U-Net of many tutorials: two normalized 3x3 convolutions a level, padding that keeps the size."""

    def __init__(self, width: int, depth: int, classes: int) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(depth + 1)]
        self.down = nn.ModuleList(double(before, after) for before, after in zip([3, *widths], widths))
        pairs = list(zip(widths[:0:-1], widths[-2::-1]))
        self.up = nn.ModuleList(nn.ConvTranspose2d(deep, shallow, 2, stride=2) for deep, shallow in pairs)
        self.merge = nn.ModuleList(double(2 * shallow, shallow) for _, shallow in pairs)
        self.pool = nn.MaxPool2d(2)
        self.head = nn.Conv2d(width, classes, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return a map of class scores of the size of the image."""
        levels = [self.down[0](x)]
        for block in self.down[1:]:
            levels.append(block(self.pool(levels[-1])))
        x = levels.pop()
        for up, merge in zip(self.up, self.merge):
            x = merge(torch.cat((levels.pop(), up(x)), dim=1))
        return self.head(x)


def double(before: int, after: int) -> nn.Sequential:
    """Return two 3x3 convolutions without bias, each normalized and rectified."""
    return nn.Sequential(
        nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU(),
        nn.Conv2d(after, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU())


def unet(width: int, depth: int, classes: int, size: int) -> Builder:
    """Return a builder of a U-Net."""
    return lambda: (UNet(width, depth, classes), image(size))


# Keyed by the preset of hwsim that must come to the same numbers; "@" sets knobs apart.
NETWORKS: dict[str, tuple[str, Builder]] = {
    **{name: (f"torchvision {name}", classifier(name))
       for name in ("densenet121", "densenet161", "densenet169", "densenet201", "mobilenet_v3_large",
                    "mobilenet_v3_small", "resnext50_32x4d", "resnet50")},
    "deeplabv3_resnet50": ("torchvision deeplabv3_resnet50", segmenter("deeplabv3_resnet50", 224, False)),
    "deeplabv3_resnet50_aux": ("torchvision deeplabv3_resnet50, auxiliary head",
                               segmenter("deeplabv3_resnet50", 520, True)),
    "fcn_resnet50": ("torchvision fcn_resnet50", segmenter("fcn_resnet50", 224, False)),
    "fcn_resnet50_aux": ("torchvision fcn_resnet50, auxiliary head", segmenter("fcn_resnet50", 520, True)),
    "lraspp_mobilenet_v3_large": ("torchvision lraspp_mobilenet_v3_large",
                                  segmenter("lraspp_mobilenet_v3_large", 224, False)),
    "lraspp_mobilenet_v3_large@520": ("torchvision lraspp_mobilenet_v3_large",
                                      segmenter("lraspp_mobilenet_v3_large", 520, False)),
    "r2plus1d_18": ("torchvision r2plus1d_18", video_classifier("r2plus1d_18", 16, 112)),
    "r2plus1d_18_224": ("torchvision r2plus1d_18", video_classifier("r2plus1d_18", 16, 224)),
    "s3d": ("torchvision s3d", video_classifier("s3d", 16, 224)),
    "nasnet_a_mobile": ("pretrainedmodels nasnetamobile", nasnet_mobile),
    "nasnet_a_large": ("timm nasnetalarge", timm_classifier("nasnetalarge", 331)),
    "pnasnet5_large": ("timm pnasnet5large", timm_classifier("pnasnet5large", 331)),
    "transformer_encoder_4l": ("nn.TransformerEncoder", encoder_stack(4, 256, 4, 1024, 128, True)),
    "transformer_base": ("nn.Transformer", encoder_decoder_stack(128)),
    "vit_b16_stack": ("encoder of torchvision vit_b_16", vit_stack),
    "unet": ("UNet of count_networks.py", unet(64, 4, 2, 256)),
    "unet_small": ("UNet of count_networks.py", unet(16, 4, 2, 128)),
}


def count(build: Builder) -> dict[str, object]:
    """Return input sizes, MACs per torch operator (FLOPs / 2) and parameters of one network.

    The fused attention path of inference is switched off, because the counter cannot see into it.
    """
    with torch.device("meta"):
        model, inputs = build()
    model.eval()
    torch.backends.mha.set_fastpath_enabled(False)
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), counter:
        model(*inputs)
    flops = {str(operator): number for operator, number in counter.get_flop_counts()["Global"].items()}
    odd = {operator: number for operator, number in flops.items() if number % 2}
    if odd:
        raise ValueError(f"odd FLOPs: {odd}")
    return {"inputs": [list(tensor.shape) for tensor in inputs], "macs": sum(flops.values()) // 2,
            "macs_by_torch_operator": {name: flops[name] // 2 for name in sorted(flops)},
            "parameters": sum(weight.numel() for weight in model.parameters())}


CONVENTION = {
    "macs": "FLOPs / 2 of torch.utils.flop_counter.FlopCounterMode over one forward pass in eval mode on the "
            "meta device, with the input sizes given: convolutions and matrix products, the two of attention "
            "included; no bias, normalization, activation, pooling or softmax",
    "parameters": "sum of numel over model.parameters(): weights, biases, normalization scale and shift; no "
                  "running statistics"}


def main() -> None:
    """Write torch_counts.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    out = parser.parse_args().out
    stubs = declare_missing_torchvision_operators()
    networks = {}
    for name, (network, build) in NETWORKS.items():
        networks[name] = {"network": network} | count(build)
        print(f"{name:32} {networks[name]['macs']:>16,} {networks[name]['parameters']:>12,}")
    del stubs
    packages = {package: version(package) for package in ("torch", "torchvision", "timm", "pretrainedmodels")}
    text = json.dumps({"convention": CONVENTION, "made_with": packages, "networks": networks}, indent=1)
    (out / "torch_counts.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
