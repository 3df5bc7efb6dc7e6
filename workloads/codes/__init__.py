"""Linear codes as Tanner graphs: the network is one iteration of a message-passing decoder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal

from pydantic import Field

from hwsim.graph.tanner import TannerGraph, decoder
from hwsim.graph.types import Graph
from workloads.codes.constructions import array_code, bch_code, hamming_code, tanner_code
from workloads.types import Workload, WorkloadConfig

CODES: Mapping[str, Callable[[], TannerGraph]] = MappingProxyType(
    {
        "hamming_7_4": lambda: hamming_code(3),
        "bch_15_11": lambda: bch_code(4, 1),
        "bch_63_45": lambda: bch_code(6, 3),
        "bch_63_39": lambda: bch_code(6, 4),
        "bch_63_36": lambda: bch_code(6, 5),
        "ldpc_array_366_185": lambda: array_code(61, 3, 6),
        "ldpc_tanner_155_64": tanner_code,
    }
)


class CodeConfig(WorkloadConfig):
    """Knobs of a code."""

    code: Literal[
        "hamming_7_4",
        "bch_15_11",
        "bch_63_45",
        "bch_63_39",
        "bch_63_36",
        "ldpc_array_366_185",
        "ldpc_tanner_155_64",
    ] = Field(description="The code by name, with its length n and dimension k.")


def build(config: CodeConfig) -> Graph:
    """Return one iteration of message passing on the code; `batch` codewords together."""
    provenance = {"workload": "codes", "configuration": config.model_dump_json()}
    return decoder(
        "codes", CODES[config.code](), frames=config.batch, format=config.number_format, provenance=provenance
    )


WORKLOADS = (
    Workload(
        name="codes",
        description="Linear codes as Tanner graphs: one iteration of a message-passing decoder",
        config=CodeConfig,
        build=build,
        presets={name: CodeConfig.model_validate({"code": name}) for name in CODES},
        source="Hamming 1950; BCH: cyclic parity checks as in lorenlugosch/neural-min-sum-decoding@95e27cb "
        "(degree sums equal); array code: Fan 2000, Array codes as low-density parity-check codes; "
        "Tanner, Sridhara and Fuja 2001, A class of group-structured LDPC codes (recalled-high; k computed)",
        notes={
            "ldpc_array_366_185": "Regular (3, 6), 18 shifted identities of size 61; codewords of weight 6.",
            "ldpc_tanner_155_64": "Regular (3, 5), 15 shifted identities of size 31; no cycle below 8.",
            "bch_63_45": "Rows are the 18 shifts of the check polynomial; dense for message passing.",
        },
    ),
)
