"""Each peer lives in an environment of its own, because scalesim and hwsim need different numpy versions."""

from __future__ import annotations

import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
ENVIRONMENTS = CHECKOUT / ".venv-peers"

REQUIREMENTS: dict[str, tuple[str, ...]] = {
    # Its wheel declares numpy without an upper bound, but breaks from 2.4 on.
    "scalesim": ("scalesim==3.0.0", "numpy<2.4"),
    # Its wheel imports six without declaring it.
    "zigzag": ("zigzag-dse==3.9.1", "six"),
}


class PeerFailedError(RuntimeError):
    """A peer's process ended with an error, or took longer than its limit."""


@dataclass(frozen=True, slots=True)
class Timed:
    """One finished process.

    Attributes
    ----------
    wall_s, cpu_s : float
        Seconds on the clock, and user + system seconds of the process and its children.
    peak_bytes : int
        Largest resident set of the process.
    stdout : str
        What it wrote to standard output.
    """

    wall_s: float
    cpu_s: float
    peak_bytes: int
    stdout: str


def interpreter(peer: str) -> Path:
    """Path of the Python of `peer`'s environment, created and filled if it is not there."""
    home = ENVIRONMENTS / peer
    python = home / "bin" / "python"
    complete = home / ".requirements.json"
    wanted = json.dumps(REQUIREMENTS[peer])
    if python.exists() and complete.exists() and complete.read_text() == wanted:
        return python
    print(f"creating {home.relative_to(CHECKOUT)} with {', '.join(REQUIREMENTS[peer])}", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", *REQUIREMENTS[peer]], check=True)
    complete.write_text(wanted)
    return python


def versions(peer: str) -> dict[str, str]:
    """Python and package versions in `peer`'s environment."""
    wanted = [requirement.split("=")[0].split("<")[0] for requirement in REQUIREMENTS[peer]] + ["numpy"]
    code = (
        "import importlib.metadata as m, json, platform, sys;"
        "print(json.dumps({'python': platform.python_version(), **{n: m.version(n) for n in sys.argv[1:]}}))"
    )
    done = subprocess.run([str(interpreter(peer)), "-c", code, *sorted(set(wanted))],
                          check=True, capture_output=True, text=True)
    found: dict[str, str] = json.loads(done.stdout)
    return found


def run_timed(command: list[str], *, cwd: Path, limit_s: float) -> Timed:
    """Run `command` to its end on one core and measure it.

    Raises
    ------
    PeerFailedError
        When it ends with an error or runs longer than `limit_s` seconds.
    """
    # One thread for the numerical libraries of both sides, so that seconds compare one core with one core.
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1",
                   "NUMBA_NUM_THREADS": "1", "NO_COLOR": "1"}
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        begin = time.perf_counter()
        process = subprocess.Popen(command, cwd=cwd, env=environment, stdout=out, stderr=err,
                                   start_new_session=True)
        too_long = threading.Event()

        def stop() -> None:
            too_long.set()
            os.killpg(process.pid, signal.SIGKILL)

        timer = threading.Timer(limit_s, stop)
        timer.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            # Interrupted: the process has a session of its own and would outlive us.
            os.killpg(process.pid, signal.SIGKILL)
            os.wait4(process.pid, 0)
            raise
        finally:
            timer.cancel()
        wall_s = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if process.returncode != 0:
            after = f"stopped after {limit_s:.0f} s"
            reason = after if too_long.is_set() else f"exit code {process.returncode}"
            raise PeerFailedError(f"{' '.join(command)}: {reason}\n{err.read()[-2000:]}")
        return Timed(wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, out.read())


def machine() -> dict[str, str | int]:
    """What the seconds were measured on."""
    model = "unknown"
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = lines[0].split(":", 1)[1].strip() if lines else model
    return {"processor": model, "cores": os.cpu_count() or 0, "system": platform.platform(terse=True),
            "python": platform.python_version()}
