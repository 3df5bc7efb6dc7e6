"""Runs SCALE-Sim as a library inside its own environment, in the quickest way its interface offers."""

import json
import sys
import time


def main() -> None:
    """Simulate one network; the last line of output is a JSON object with the seconds of each part."""
    config, topology, results = sys.argv[1:4]
    begin = time.perf_counter()
    from scalesim.scale_sim import scalesim  # type: ignore[import-not-found]

    imported, imported_cpu = time.perf_counter(), time.process_time()
    # No traces on disk and no progress bars: everything that can be switched off is off.
    simulation = scalesim(save_disk_space=True, verbose=False, config=config, topology=topology,
                          layout=topology)
    simulation.run_scale(top_path=results)
    done, done_cpu = time.perf_counter(), time.process_time()
    print(json.dumps({"import_s": imported - begin, "run_s": done - imported,
                      "run_cpu_s": done_cpu - imported_cpu}))


if __name__ == "__main__":
    main()
