"""Random designs on which a chip's machine can be stepped in milliseconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from hwsim.model.types import Accelerator

Draw = Callable[[np.random.Generator], dict[str, Any]]


def _systolic(rng: np.random.Generator) -> dict[str, Any]:
    return {
        "array_rows": int(rng.integers(1, 6)),
        "array_cols": int(rng.integers(1, 6)),
        "dataflow": str(rng.choice(["best", "os", "ws", "is"])),
        "objective": str(rng.choice(["cycles", "energy", "product", "traffic"])),
        "fold_model": str(rng.choice(["overlapped", "sequential", "scalesim"])),
        "memory_model": "stall_free" if rng.integers(8) == 0 else "double_buffered",
        "fuse_elementwise": bool(rng.integers(2)),
        "operand_bits": 8,
        "input_scratchpad_bytes": int(rng.integers(256, 1024)),
        "weight_scratchpad_bytes": int(rng.integers(128, 512)),
        "output_scratchpad_bytes": int(rng.integers(64, 1024)),
        "vector_lanes": int(rng.integers(1, 5)),
        "clock_hz": 1e9,
        "dram_bits_per_s": float(rng.choice([3.3e9, 7e9, 64e9, 1e12])),
    }


def _binary_lstm(rng: np.random.Generator) -> dict[str, Any]:
    return {
        "mac_units": int(rng.integers(1, 30)),
        "memory_bits_per_cycle": int(rng.integers(1, 60)),
        "vector_lanes": int(rng.integers(1, 30)),
    }


def _dram_pim(rng: np.random.Generator) -> dict[str, Any]:
    return {
        "page_bits": int(rng.integers(1, 40)),
        "banks": int(rng.integers(1, 6)),
        "data_rows": int(rng.integers(150, 400)),
        "scope": str(rng.choice(["device", "rank"])),
        "overlapped": bool(rng.integers(2)),
        "refresh": bool(rng.integers(2)),
        "operands": str(rng.choice(["resident", "channel"])),
        "activation_window": str(rng.choice(["wait", "ignore"])),
    }


def _sparse_fc(rng: np.random.Generator) -> dict[str, Any]:
    return {
        "neurons": int(rng.integers(1, 20)),
        "weight_memory_bits": 4096,
        "sparsity_ratio": float(rng.choice([0.0, 0.5, 0.75])),
    }


def _aqfp_bnn(rng: np.random.Generator) -> dict[str, Any]:
    return {
        "crossbar_size": int(rng.integers(1, 10)),
        "stream_length": int(rng.integers(1, 6)),
        "replication": int(rng.integers(1, 4)),
        "parallel_counter": str(rng.choice(["exact", "approximate"])),
        "tie_rule": str(rng.choice(["one", "zero"])),
        "clock_phases": int(rng.integers(3, 7)),
        "max_phase_skip": int(rng.integers(1, 4)),
        "splitter_outputs": int(rng.integers(2, 5)),
        "clock_hz": float(rng.choice([1e9, 5e9, 20e9])),
        "neuron": "deterministic" if rng.integers(4) == 0 else "gray_zone",
        "gray_zone_products_ratio": float(rng.choice([0.5, 3.0, 10.0])),
        "weight_memory": str(rng.choice(["buffer_chain", "in_cell"])),
        "accounting": str(rng.choice(["active", "always_on"])),
    }


def _integral_sc(rng: np.random.Generator) -> dict[str, Any]:
    return {
        "stream_length": int(rng.integers(1, 40)),
        "m": int(rng.integers(1, 5)),
        "fill_cycles": int(rng.integers(0, 12)),
        "states": 2 * int(rng.integers(0, 20)),
        "adder_range": int(rng.integers(0, 6)),
        "shared_generators": bool(rng.integers(2)),
    }


def _min_sum_decoder(rng: np.random.Generator) -> dict[str, Any]:
    combined, bits = bool(rng.integers(4) == 0), int(rng.integers(2, 8))
    return {
        "edge_processors": 64 if combined else int(rng.integers(1, 20)),
        "combined_phases": combined,
        "llr_bits": bits,
        "llr_steps_ratio": max(2 ** (bits - 1) / 24, float(rng.choice([0.5, 1.0, 2.0, 3.7]))),
        "factor_bits": int(rng.integers(1, 8)),
    }


def _invertible_logic(rng: np.random.Generator) -> dict[str, Any]:
    sequential = bool(rng.integers(3) == 0)
    first, last = (int(2 ** rng.integers(0, 5)) for _ in range(2))
    return {
        "update": "sequential" if sequential else "synchronous",
        "counter_states": str(rng.choice(["even", "odd"])),
        "noise_weight": int(rng.integers(1, 5)),
        "noise_probability": float(rng.choice([0.25, 0.5, 1.0])),
        "i0_first_ratio": first / 16 if sequential else first,
        "i0_last_ratio": last / 16 if sequential else last,
        "annealing_schedule": str(rng.choice(["geometric", "linear"])),
        "anneal_cycles": int(rng.integers(1, 20)),
        "anneals": int(rng.integers(1, 3)),
    }


def _racetrack_memory(rng: np.random.Generator) -> dict[str, Any]:
    domains = int(rng.integers(1, 9))
    return {
        "clusters": int(rng.integers(9, 20)),
        "domains": domains,
        "ports": int(rng.integers(1, domains + 1)),
        "policy": str(rng.choice(["lazy", "eager"])),
        "port_selection": str(rng.choice(["nearest", "assigned"])),
        "shift_latency": str(rng.choice(["physical", "rtsim_compatible"])),
        "placement": str(rng.choice(["as_given", "first_use", "frequency", "arrangement"])),
    }


def _finn_bnn(rng: np.random.Generator) -> dict[str, Any]:
    return {
        "bit_lanes": int(rng.integers(192, 600)),
        "stream_lanes": int(rng.integers(1, 5)),
        "host_word_bits": int(rng.choice([1, 1, 4, 8])),
    }


def _mst_bnn(rng: np.random.Generator) -> dict[str, Any]:
    return {
        "tree_depth": int(rng.integers(0, 6)),
        "complement": bool(rng.integers(2)),
        "seed": int(rng.integers(0, 100)),
        "level_cycles": int(rng.integers(1, 4)),
        "mac_units": int(rng.integers(1, 20)),
        "stream_lanes": int(rng.integers(1, 5)),
    }


def _reram_pim(rng: np.random.Generator) -> dict[str, Any]:
    rows, cell_bits, dac_bits = (int(rng.integers(1, top)) for top in (7, 4, 3))
    return {
        "array_rows": rows,
        "array_cols": int(rng.integers(1, 9)),
        "cell_bits": cell_bits,
        "dac_bits": dac_bits,
        "adc_bits": 9,
        "encoding": str(rng.choice(["plain", "flipped"])),
        "replicate": bool(rng.integers(2)),
        "tiles": int(rng.integers(3, 60)),
        "vector_lanes": int(rng.integers(1, 9)),
    }


def _racetrack_pim(rng: np.random.Generator) -> dict[str, Any]:
    trd = int(rng.choice([3, 5, 7]))
    return {
        "trd": trd,
        "timing": str(rng.choice(["device", "controller"])),
        "subarrays_active": int(rng.integers(1, 3)),
        "multiply_model": "functional",
        "redundancy": int(rng.choice([1, 1, 1, 1, 3])),
        "banks": int(rng.integers(1, 5)),
        "wires": 64 * int(rng.integers(1, 3)),
    }


def _roofline(rng: np.random.Generator) -> dict[str, Any]:
    return {
        "lanes": int(rng.integers(1, 40)),
        "memory_model": str(rng.choice(["bounded", "in_peak"])),
        "dram_bits_per_s": float(rng.choice([3.3e9, 64e9, 1e12])),
    }


# A chip without an entry is stepped in its presets.
KNOBS: Mapping[str, Draw] = {
    "aqfp_bnn": _aqfp_bnn,
    "binary_lstm": _binary_lstm,
    "dram_pim": _dram_pim,
    "edge_fpga": _roofline,
    "edge_gpu": _roofline,
    "finn_bnn": _finn_bnn,
    "integral_sc": _integral_sc,
    "min_sum_decoder": _min_sum_decoder,
    "invertible_logic": _invertible_logic,
    "racetrack_memory": _racetrack_memory,
    "mst_bnn": _mst_bnn,
    "racetrack_pim": _racetrack_pim,
    "reram_pim": _reram_pim,
    "sparse_fc": _sparse_fc,
    "systolic": _systolic,
}


def small_design(accelerator: Accelerator, rng: np.random.Generator) -> Any:
    """Return a random design of `accelerator` that is small enough to step."""
    presets = list(accelerator.presets.values())
    preset = presets[int(rng.integers(len(presets)))]
    if accelerator.name not in KNOBS:
        return preset
    return accelerator.design.model_validate(preset.model_dump() | KNOBS[accelerator.name](rng))
