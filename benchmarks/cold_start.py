"""Cold start of every command: a fresh process, against a Python that does nothing.

    python benchmarks/cold_start.py             # every command: --help, and a small real job
    python benchmarks/cold_start.py run list    # those whose words begin so

CPU seconds of a whole process, user and system, the least of several runs; bare Python takes its turns in
between, and ratios are to its least. Files in the user's cache are there already, as on a second call.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

ROUNDS = 2
HWSIM = ("-m", "hwsim")
NETWORK = "resnet18"

JOBS = (
    ("run", NETWORK, "--on", "systolic", "-o", "report.json"),
    ("run", "mlp_mnist", "--on", "systolic", "-o", "page.html"),
    ("compare", NETWORK, "--on", "systolic:tpu_v1,systolic:eyeriss_like"),
    ("schedule", "mlp_mnist", "--scratchpad", "8KiB"),
    ("schedule", NETWORK, "--scratchpad", "4MiB"),
    ("sweep", "mlp_mnist", "--on", "systolic", "--knob", "array_rows=8,16", "-o", "sweep.db"),
    ("pareto", "sweep.db"),
    ("report", "report.json", "-o", "report.html"),
    ("list",),
    ("show", "systolic"),
    ("show", NETWORK),
    ("explain", "report.json"),
    ("validate", "systolic"),
    ("validate",),
    ("schema", "report"),
)


def main(wanted: tuple[str, ...]) -> int:
    """Print one row a command."""
    commands = tuple(dict.fromkeys(job[0] for job in JOBS))
    rows = [("--help",), ("--version",), *((name, "--help") for name in commands), *JOBS]
    with tempfile.TemporaryDirectory(prefix="hwsim-cold-") as place:
        folder = Path(place)
        prepare(folder)
        bare_s = min(cpu_s(folder, "-c", "pass") for _ in range(2 * ROUNDS))
        print(f"python -c pass: {bare_s * 1e3:.0f} ms of CPU time, least of {2 * ROUNDS}\n")
        print(f"{'command':72} {'ms':>6} {'ratio':>7}")
        for words in rows:
            if not wanted or words[0] in wanted:
                took = []
                for _ in range(ROUNDS):
                    bare_s = min(bare_s, cpu_s(folder, "-c", "pass"))
                    took.append(cpu_s(folder, *HWSIM, *words))
                line = f"{min(took) * 1e3:6.0f} {min(took) / bare_s:6.1f}x"
                print(f"hwsim {' '.join(words):66} {line}", flush=True)
    return 0


def prepare(folder: Path) -> None:
    """Write the files that some jobs read."""
    for words in JOBS:
        if {"report.json", "sweep.db"} & set(words) and words[0] in ("run", "sweep"):
            cpu_s(folder, *HWSIM, *words)


def cpu_s(folder: Path, *words: str) -> float:
    """Return the CPU seconds of a Python process and its children."""
    if "sweep.db" in words and "sweep" in words:
        (folder / "sweep.db").unlink(missing_ok=True)
    before = used_s()
    done = subprocess.run([sys.executable, *words], cwd=folder, capture_output=True, text=True, check=False)
    took = used_s() - before
    if done.returncode:
        raise SystemExit(f"{' '.join(words)}: exit code {done.returncode}\n{done.stderr}")
    return took


def used_s() -> float:
    """Return the CPU seconds of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main(tuple(sys.argv[1:])))
