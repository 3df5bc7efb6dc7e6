"""One page per command: the help that it prints, and where the documentation uses it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from typer.main import get_command
from typer.testing import CliRunner

from docs.generator.text import plain, table
from hwsim.cli import app

_BLOCK = re.compile(r"^```(?:console|sh)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CODES = (
    ("0", "done"),
    ("1", "an internal error, or `hwsim validate` found a figure out of tolerance"),
    ("2", "usage or input: one line for every problem, with file, field and the nearest name"),
    ("3", "infeasible, or an operator that the chip cannot run"),
    ("4", "a sweep with failed points"),
    ("5", "the time limit came before a solution"),
    ("130", "interrupted; nothing is left half-written"),
    ("141", "the reader of the pipe left"),
)
_STREAMS = """
Data goes to stdout, notes and errors to stderr. `--json` prints JSON instead of tables, and `NO_COLOR` is
honoured. `python -m hwsim` is the same program.

## Exit codes

"""
_WORDS = re.compile(r"(?:^|[;&|(] *|\$ )hwsim (\w+)", re.MULTILINE)


def names() -> tuple[str, ...]:
    """Return all commands in the order of `hwsim --help`."""
    return tuple(getattr(get_command(app), "commands", {}))


def page(name: str, pages: Mapping[str, str]) -> str:
    """Return the page of a command.

    Parameters
    ----------
    name : str
        The command.
    pages : mapping of str to str
        Text of every written page by its address, for examples.
    """
    shown = _help(name)
    examples = [f"- `{line}` ([{address[:-3]}](../{address}))\n" for line, address in _examples(name, pages)]
    text = f"# hwsim {name}\n\n{plain(_summary(shown))}\n\n```text\n{shown}```\n"
    if examples:
        text += f"\n## In use\n\n{''.join(examples)}"
    return text + "\nExit codes: [of all commands](index.md#exit-codes).\n"


def index() -> str:
    """Return the page that lists all commands."""
    rows = [(f"[hwsim {name}]({name}.md)", plain(_summary(_help(name)))) for name in names()]
    listed = table(("Command", "What it does"), rows)
    return f"# Commands\n\n{listed}{_STREAMS}{table(('Code', 'Meaning'), _CODES)}"


def _help(name: str) -> str:
    wide = {"COLUMNS": "100", "TERM": "dumb"}
    done = CliRunner().invoke(app, [name, "--help"], prog_name="hwsim", env=wide)
    if done.exit_code:
        raise RuntimeError(f"hwsim {name} --help: exit code {done.exit_code}\n{done.output}")
    return "".join(f"{line.rstrip()}\n" for line in done.output.rstrip().splitlines())


def _summary(shown: str) -> str:
    return shown.partition("\n\n")[2].partition("\n\n")[0].strip()


def _examples(name: str, pages: Mapping[str, str]) -> list[tuple[str, str]]:
    found: dict[str, str] = {}
    for address, text in pages.items():
        for block in _BLOCK.findall(text):
            for line in block.splitlines():
                if line.startswith(("$ ", "hwsim ")) and name in _WORDS.findall(line):
                    found.setdefault(line.removeprefix("$ ").partition("    #")[0].strip(), address)
    return list(found.items())
