"""Traces on disk: one NumPy archive, written beside its name and renamed."""

from __future__ import annotations

import dataclasses
import io
import json
import zipfile
from pathlib import Path

import numpy as np

from hwsim.errors import HwsimError, InputError
from hwsim.trace.types import Accesses, Ints, Loops, Rows, Series, Trace
from hwsim.trace.verify import verify_trace
from hwsim.writing import write_bytes

FORMAT = "hwsim-trace-1"
PARTS = {"loops": Loops, "rows": Rows, "accesses": Accesses, "series": Series}
COLUMNS = {part: tuple(item.name for item in dataclasses.fields(kind)) for part, kind in PARTS.items()}


def save(trace: Trace, path: Path) -> None:
    """Write `trace` to `path`; an interrupted call leaves the old file as it was."""
    columns = {
        f"{part}.{name}": getattr(getattr(trace, part), name)
        for part, names in COLUMNS.items()
        for name in names
    }
    names = {
        "format": FORMAT,
        "nodes": trace.nodes,
        "units": trace.units,
        "actions": trace.actions,
        "skips": [[*key, events] for key, events in trace.skips.items()],
        "notes": [[*key, text] for key, text in trace.notes.items()],
    }
    buffer = io.BytesIO()
    np.savez_compressed(buffer, names=np.frombuffer(json.dumps(names).encode(), dtype=np.uint8), **columns)
    write_bytes(path, buffer.getvalue())


def load(path: Path) -> Trace:
    """Read a trace that `save` wrote; InputError if it is missing, foreign or damaged."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            names = json.loads(archive["names"].tobytes())
            if names["format"] != FORMAT:
                raise InputError(f"format {names['format']!r}, this version reads {FORMAT!r}")
            parts = {
                part: kind(**{name: _frozen(archive[f"{part}.{name}"]) for name in COLUMNS[part]})
                for part, kind in PARTS.items()
            }
        trace = Trace(
            **parts,
            nodes=tuple(names["nodes"]),
            units=tuple(names["units"]),
            actions=tuple(names["actions"]),
            skips={(node, reason): int(events) for node, reason, events in names["skips"]},
            notes={(node, subject): str(text) for node, subject, text in names["notes"]},
        )
        verify_trace(trace)
    except FileNotFoundError as error:
        raise InputError("no such file", where=str(path)) from error
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise InputError(f"not a trace file: {error}", where=str(path)) from error
    except HwsimError as error:
        raise InputError(problems=error.inside(str(path)).problems) from error
    return trace


def _frozen(column: Ints) -> Ints:
    if column.dtype != np.int64:
        raise ValueError(f"column of {column.dtype}, not int64")
    column.setflags(write=False)
    return column
