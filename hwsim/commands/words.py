"""Words that options of the command line can take."""

from __future__ import annotations

from enum import StrEnum


class Listing(StrEnum):
    """What `hwsim list` can list."""

    CHIPS = "chips"
    WORKLOADS = "workloads"
    COMPARISONS = "comparisons"


class SchemaOf(StrEnum):
    """What `hwsim schema` can describe."""

    REPORT = "report"
    DESIGN = "design"
    SWEEP = "sweep"
    COMPARISON = "comparison"


class SamplingOf(StrEnum):
    """How points of a space are chosen."""

    GRID = "grid"
    ZIP = "zip"
    RANDOM = "random"
    LATIN_HYPERCUBE = "latin_hypercube"
    SEARCH = "search"


class PictureOf(StrEnum):
    """What `hwsim report -o FILE.svg` can draw."""

    FRONT = "front"
    TORNADO = "tornado"
    HEAT = "heat"
    ENERGY = "energy"
    CYCLES = "cycles"
    ROOFLINE = "roofline"
    TIMELINE = "timeline"


class EngineOf(StrEnum):
    """Where points are computed."""

    AUTO = "auto"
    INPROCESS = "inprocess"
    LOCAL = "local"
    DASK = "dask"


class Planning(StrEnum):
    """Whether the scratchpad is scheduled."""

    NONE = "none"
    COSMA = "cosma"


class Unsupported(StrEnum):
    """What to do with an operator that the chip cannot run."""

    ERROR = "error"
    HOST = "host"
    TRAFFIC = "traffic"
