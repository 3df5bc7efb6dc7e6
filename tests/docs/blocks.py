"""Runs the code blocks of a document and writes what they print back into it.

Between the two `peers` comments stands what `benchmarks/results/peers.json` says, once it is there.

`console` blocks hold commands after "$ " and, below each, its output. `python` blocks run in order in one
namespace; a `text` block directly below one holds what it prints. `sh` blocks are for reading: they need a
network or an empty machine. A block that begins with a comment ``file: NAME`` is that file; with a
``pyproject.toml`` among them, commands see the folder as if that package were installed.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
DOCUMENTS = ("README.md", *sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("docs/*.md")))
LANGUAGES = frozenset({"console", "python", "text", "sh", "toml", "json", "markdown", ""})
RESULTS = ROOT / "benchmarks/results/peers.json"
_PEERS = re.compile(r"(?<=<!-- peers -->\n).*?(?=<!-- end of peers -->)", re.DOTALL)
_FILE = re.compile(r"\A(?:#|<!--) file: (\S+)")
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, its text, and where the text lies in the document."""

    language: str
    text: str
    start: int
    end: int


def blocks_of(document: str) -> list[Block]:
    """Return the fenced blocks of a document in order."""
    return [Block(found[1], found[2], found.start(2), found.end(2)) for found in _FENCE.finditer(document)]


def refreshed(document: str) -> str:
    """Return the document with the output that its commands and programs really give.

    Raises
    ------
    RuntimeError
        A command or program fails; the text says which and what it printed.
    """
    with tempfile.TemporaryDirectory(prefix="hwsim-docs-") as folder:
        pieces, end = [], 0
        for block, text in _rewritten(document, Path(folder)):
            pieces += [document[end : block.start], text]
            end = block.end
        return "".join([*pieces, document[end:]])


def _rewritten(document: str, folder: Path) -> Iterator[tuple[Block, str]]:
    names: dict[str, Any] = {"__name__": "__main__"}
    printed, below = "", -1
    for block in blocks_of(document):
        if is_file(block):
            write_file(block, folder)
        elif block.language == "console":
            yield block, "".join(_run(command, folder) for command in commands_of(block.text))
        elif block.language == "python":
            printed, below = _execute(block.text, names, folder), block.end
        elif block.language == "text" and document[below : block.start].split() == ["```", "```text"]:
            yield block, printed


def is_file(block: Block) -> bool:
    """Return whether a block is a file that the reader is to write."""
    return _FILE.match(block.text) is not None


def write_file(block: Block, folder: Path) -> None:
    """Write the file that a block is; a ``pyproject.toml`` registers its entry points as well."""
    found = _FILE.match(block.text)
    if found is None:
        raise ValueError(f"no file: {block.text[:60]!r}")
    path = folder / found[1]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(block.text, encoding="utf-8")
    if path.name == "pyproject.toml":
        project = tomllib.loads(block.text)["project"]
        metadata = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
        metadata.mkdir()
        named = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
        (metadata / "METADATA").write_text(named, encoding="utf-8")
        entries = [f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in members.items())
                   for group, members in project.get("entry-points", {}).items()]
        (metadata / "entry_points.txt").write_text("\n".join(entries), encoding="utf-8")


def commands_of(text: str) -> list[str]:
    """Return the commands of a console block; a line that ends in a backslash goes on below."""
    return [found[1] for found in re.finditer(r"^\$ ((?:.*\\\n)*.*)$", text, re.MULTILINE)]


def _run(command: str, folder: Path) -> str:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    for name in ("COLUMNS", "FORCE_COLOR", "HWSIM_DEBUG"):
        environment.pop(name, None)
    if (folder / "pyproject.toml").is_file():
        environment["PYTHONPATH"] = str(folder)
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        text=True,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if done.returncode:
        raise RuntimeError(f"$ {command}\nexit code {done.returncode}\n{done.stdout}")
    return f"$ {command}\n" + _trimmed(done.stdout)


def _execute(program: str, names: dict[str, Any], folder: Path) -> str:
    shown = io.StringIO()
    try:
        with contextlib.chdir(folder), contextlib.redirect_stdout(shown):
            exec(compile(program, "<document>", "exec"), names)
    except Exception as error:
        raise RuntimeError(f"{program}\n{type(error).__name__}: {error}") from error
    return _trimmed(shown.getvalue())


def _trimmed(text: str) -> str:
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def with_peers(document: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the document with one table row per comparison that ran on both sides."""
    done = [row for row in rows if row["hwsim_cycles"] and row["inside"]["least_ratio"]]
    lines = [
        f"| {row['peer']} | {row['network']} | {row['array']} {row['dataflow']} "
        f"| {row['peer_cycles']:,} | {row['hwsim_cycles']:,} "
        f"| {row['inside']['peer_wall_s']:.0f} s | {row['inside']['hwsim_wall_s'] * 1e3:.0f} ms "
        f"| {row['inside']['least_ratio']:,.0f}x |\n"
        for row in done
    ]
    head = (
        "| against | network | array | its cycles | hwsim | its time | hwsim | at least |\n"
        + "|---" * 8
        + "|\n"
    )
    said = (
        "Against other programs: the whole evaluation with its report in a running process. `at least` is\n"
        "their CPU seconds over the wall seconds of hwsim.\n\n"
    )
    return _PEERS.sub(lambda _: said + head + "".join(lines) if lines else "", document)


def main() -> None:
    """Write the real output into every document."""
    for name in DOCUMENTS:
        path = ROOT / name
        before = path.read_text(encoding="utf-8")
        after = refreshed(before)
        if RESULTS.is_file():
            after = with_peers(after, json.loads(RESULTS.read_text(encoding="utf-8"))["rows"])
        path.write_text(after, encoding="utf-8")
        sys.stdout.write(f"{name}: {'as it was' if after == before else 'changed'}\n")


if __name__ == "__main__":
    main()
