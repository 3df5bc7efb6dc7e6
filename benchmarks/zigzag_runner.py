"""Runs ZigZag on one of its own networks in its own environment and prints what its cycles are made of."""

import json
import sys
import time
from pathlib import Path


def main() -> None:
    """Search and cost one network; the last line of output is a JSON object."""
    network, dump_folder = sys.argv[1:3]
    begin = time.perf_counter()
    import zigzag  # type: ignore[import-not-found]
    from zigzag.api import get_hardware_performance_zigzag  # type: ignore[import-not-found]

    imported, imported_cpu = time.perf_counter(), time.process_time()
    inputs = Path(zigzag.__file__).parent / "inputs"
    energy_pj, latency_cycles, evaluations = get_hardware_performance_zigzag(
        str(inputs / "workload" / f"{network}.onnx"),
        str(inputs / "hardware" / "tpu_like.yaml"),
        str(inputs / "mapping" / "tpu_like.yaml"),
        opt="latency",
        dump_folder=dump_folder,
        loma_show_progress_bar=False,
    )
    done, done_cpu = time.perf_counter(), time.process_time()
    layers = [
        {
            "name": layer.layer.name,
            "macs": int(layer.layer.total_mac_count),
            "ideal_cycles": float(layer.ideal_cycle),
            "compute_cycles": float(layer.ideal_temporal_cycle),
            "stall_cycles": float(layer.stall_slack_comb),
            "onload_cycles": float(layer.data_onloading_cycle),
            "offload_cycles": float(layer.data_offloading_cycle),
            "drain_cycles": float(layer.systolic_drain_cycle),
            "total_cycles": float(layer.latency_total2),
        }
        for layer, _ in evaluations[0][1]
    ]
    print(json.dumps({"import_s": imported - begin, "run_s": done - imported,
                      "run_cpu_s": done_cpu - imported_cpu, "energy_pj": energy_pj,
                      "latency_cycles": latency_cycles, "layers": layers}))


if __name__ == "__main__":
    main()
