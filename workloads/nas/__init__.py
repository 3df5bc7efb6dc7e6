"""Networks whose cells were found by architecture search: DARTS, NASNet-A, PNASNet-5 and AmoebaNet-D."""

from __future__ import annotations

from workloads.nas.amoebanet import AmoebanetConfig
from workloads.nas.amoebanet import build as build_amoebanet
from workloads.nas.darts import DartsConfig
from workloads.nas.darts import build as build_darts
from workloads.nas.nasnet import NasnetConfig
from workloads.nas.nasnet import build as build_nasnet
from workloads.nas.pnasnet import PnasnetConfig
from workloads.nas.pnasnet import build as build_pnasnet
from workloads.types import Workload

WORKLOADS = (
    Workload(
        name="darts",
        description="DARTS cells in a row, two of which halve the maps",
        config=DartsConfig,
        build=build_darts,
        presets={
            "darts": DartsConfig(),
            "darts_8": DartsConfig(cells=8),
            "darts_v1": DartsConfig(genotype="darts_v1"),
            "darts_imagenet": DartsConfig(cells=14, width=48, image_size=224, classes=1000, stem="imagenet"),
        },
        source="quark0/darts cnn/model.py, genotypes.py, README.md (read); operations recalled-high",
        notes={
            "darts": "20 cells of 36 channels on CIFAR-10; the README gives 3.349 M parameters.",
            "darts_8": "8 cells of 36 channels on CIFAR-10: the depth of the search at the full width.",
            "darts_v1": "First-order search.",
            "darts_imagenet": "14 cells of 48 channels; the README gives 4.719 M parameters.",
        },
    ),
    Workload(
        name="nasnet_a",
        description="NASNet-A: normal and reduction cells of separable convolutions",
        config=NasnetConfig,
        build=build_nasnet,
        presets={
            "nasnet_a_mobile": NasnetConfig(),
            "nasnet_a_large": NasnetConfig(
                cells=18, width=168, stem_width=96, image_size=331, skip_reduction_input=True
            ),
            "nasnet_a_cifar": NasnetConfig(
                cells=18, width=32, stem_width=96, stem="cifar", image_size=32, classes=10
            ),
            "nasnet_a_cifar_small": NasnetConfig(
                cells=6, width=32, stem_width=96, stem="cifar", image_size=32, classes=10
            ),
        },
        source="tensorflow/models research/slim/nets/nasnet (read)",
        notes={
            "nasnet_a_mobile": "4 @ 1056: 564 M MACs and 5.3 M parameters in the source.",
            "nasnet_a_large": "6 @ 4032: 23.8 G MACs; the source's 88.9 M parameters include running means.",
            "nasnet_a_cifar": "6 @ 768: six normal cells between reductions.",
            "nasnet_a_cifar_small": "Two normal cells between reductions; own size, for short runs.",
        },
    ),
    Workload(
        name="pnasnet5",
        description="PNASNet-5: one kind of cell, with stride 2 where maps halve",
        config=PnasnetConfig,
        build=build_pnasnet,
        presets={
            "pnasnet5_mobile": PnasnetConfig(),
            "pnasnet5_large": PnasnetConfig(cells=12, width=216, stem_width=96, image_size=331),
        },
        source="tensorflow/models research/slim/nets/nasnet/pnasnet.py (read)",
        notes={
            "pnasnet5_mobile": "588 M MACs and 5.1 M parameters in the README of slim (recalled-high).",
            "pnasnet5_large": "25.0 G MACs and 86.1 M parameters there (recalled-high).",
        },
    ),
    Workload(
        name="amoebanet_d",
        description="AmoebaNet-D: evolved cells with 1x7 and 7x1 convolutions",
        config=AmoebanetConfig,
        build=build_amoebanet,
        presets={
            "amoebanet_d": AmoebanetConfig(),
            "amoebanet_d_small": AmoebanetConfig(cells=3, width=64),
        },
        source="kakaobrain/torchgpipe benchmarks/models/amoebanet (read)",
        notes={
            "amoebanet_d": "18 cells of 208: the size that GPipe trains on one device.",
            "amoebanet_d_small": "One normal cell between reductions; own size, for short runs.",
        },
    ),
)
