"""Full disks and kills: what was there stays, nothing half-written is ever seen under the name asked for."""

from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hwsim.__main__ import main
from hwsim.errors import InputError
from hwsim.importers.layer_csv import export_layer_csv
from hwsim.run import load
from hwsim.schedule.network_file import read_graph_file
from hwsim.schedule.plan_json import load_plan, write_plan
from hwsim.writing import write_bytes
from tests.hostile.judge import incomplete
from tests.hostile.specimens import ROOT, write_companions

SCHEDULE = ("schedule", "graph.json", "--scratchpad", "16blocks", "--solver", "none")
RUN = ("run", "net.csv", "--on", "systolic")
SWEEP = (
    "sweep",
    "net.csv",
    "--on",
    "systolic",
    "--knob",
    "array_rows=8,16",
    "--engine",
    "inprocess",
    "-o",
    "points.db",
)
WRITERS = {
    "report json": (*RUN, "-o", "out.json"),
    "report csv": (*RUN, "-o", "out.csv"),
    "report parquet": (*RUN, "-o", "out.parquet"),
    "report html": (*RUN, "-o", "out.html"),
    "comparison": ("compare", "net.csv", "--on", "systolic,edge_gpu", "-o", "out.json"),
    "in service": (
        "compare",
        "net.csv",
        "--on",
        "systolic,edge_gpu",
        "--service-life",
        "5y",
        "-o",
        "out.html",
    ),
    "timeline": (*RUN, "--timeline", "out.json"),
    "plan": (*SCHEDULE, "-o", "out.json"),
    "memory map svg": (*SCHEDULE, "-o", "out.svg"),
    "memory map html": (*SCHEDULE, "-o", "out.html"),
    "sweep csv": (*SWEEP, "-o", "out.csv"),
    "sweep parquet": (*SWEEP, "-o", "out.parquet"),
    "front": ("pareto", "points.db", "-o", "out.svg"),
}
Full = Callable[[pytest.MonkeyPatch], None]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_companions()
    return tmp_path


def no_space(*_: object) -> Any:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def refuse_to_sync(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(os, "fsync", no_space)


def refuse_to_rename(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Path, "replace", no_space)


@pytest.mark.parametrize(("full", "old"), [
    (refuse_to_sync, b"old"), pytest.param(refuse_to_rename, None, marks=pytest.mark.slow),
])
@pytest.mark.parametrize("writer", WRITERS)
def test_a_full_disk(
    writer: str,
    full: Full,
    old: bytes | None,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = WRITERS[writer]
    target = Path(words[-1])
    if "points.db" in words:
        assert main([*SWEEP, "--quiet"]) == 0
    if old is not None:
        target.write_bytes(old)
    before = sorted(path.name for path in folder.iterdir())
    with monkeypatch.context() as patch:
        full(patch)
        assert main([*words, "--quiet"]) == 2
    shown = capsys.readouterr()
    assert f"hwsim: error: {target}: cannot be written: No space left on device" in shown.err
    assert "bug" not in shown.err
    assert sorted(path.name for path in folder.iterdir()) == before
    assert (target.read_bytes() if target.exists() else None) == old
    assert main([*words, "--quiet"]) == 0
    assert incomplete(target) == ""


def a_plan(path: Path) -> None:
    write_companions()
    problem = read_graph_file(Path("graph.json"))
    main([*SCHEDULE, "-o", "plan.json", "--quiet"])
    write_plan(problem, load_plan(problem, _plan_text()), path)


def _plan_text() -> str:
    import json

    return json.dumps(json.loads(Path("plan.json").read_text())["plan"])


def a_trace(path: Path) -> None:
    from hwsim import run
    from hwsim.trace.store import save

    chip, graph = run.chip("systolic"), run.load("lenet5")
    save(run.lower(graph, chip.accelerator, chip.design).trace, path)


LIBRARY: dict[str, Callable[[Path], None]] = {
    "write_bytes": lambda path: write_bytes(path, b"x" * 1000),
    "layer list": lambda path: export_layer_csv(load("lenet5"), path),
    "plan": a_plan,
    "trace": a_trace,
}


@pytest.mark.parametrize("name", LIBRARY)
def test_a_full_disk_in_the_library(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = folder / "out"
    LIBRARY[name](target)
    target.write_bytes(b"old")
    before = sorted(path.name for path in folder.iterdir())
    with monkeypatch.context() as patch:
        refuse_to_rename(patch)
        with pytest.raises(InputError, match="No space left on device"):
            LIBRARY[name](target)
    assert target.read_bytes() == b"old"
    assert sorted(path.name for path in folder.iterdir()) == before


@pytest.mark.slow
def test_files_that_may_not_grow(folder: Path) -> None:
    """The kernel itself refuses the bytes after the first 300: nothing of them is left."""
    code = (
        "import resource, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "from hwsim.__main__ import main\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))\n"
        "sys.exit(max(main([*words.split(), '--quiet']) for words in sys.argv[1:]))\n"
    )
    commands = [" ".join(words) for words in WRITERS.values() if "points.db" not in words]
    before = sorted(path.name for path in folder.iterdir())
    done = subprocess.run(
        [sys.executable, "-c", code, *commands],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("cannot be written: File too large") == len(commands)
    assert sorted(path.name for path in folder.iterdir()) == before


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the test forks the process that it kills")
def test_kills_leave_the_old_file_or_the_new_one(folder: Path) -> None:
    """SIGKILL at random moments: every name asked for holds a whole file at all times."""
    commands = [[*words, "--quiet"] for words in WRITERS.values() if "points.db" not in words]
    assert all(main(list(words)) == 0 for words in commands)
    chance, kills = random.Random(5), 0
    while kills < 25:
        child = os.fork()
        if child == 0:
            try:
                chance.shuffle(commands)
                for words in commands:
                    main(list(words))
            finally:
                os._exit(0)
        time.sleep(chance.uniform(0.0, 0.4))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        kills += os.WIFSIGNALED(status)
        names = sorted(path for path in folder.iterdir() if path.name.startswith("out."))
        assert [path.name for path in names] == ["out.csv", "out.html", "out.json", "out.parquet", "out.svg"]
        assert [(path.name, incomplete(path)) for path in names if incomplete(path)] == []
