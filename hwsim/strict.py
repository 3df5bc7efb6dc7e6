"""Files that users write in TOML, as frozen types: every problem of a file at once, with the nearest word."""

from __future__ import annotations

import types
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from hwsim.errors import InputError, Problem, nearest
from hwsim.reading import parse_toml, read_text

LARGEST_FILE = 1 << 24


class Table(BaseModel):
    """A table within a file: frozen, unknown words refused. The file it belongs to reports its problems."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hints: ClassVar[dict[str, str]] = {}
    """What to do about words that belong elsewhere."""


class Strict(Table):
    """A whole file: InputError with every problem of it and of the tables within."""

    def __init__(self, **given: Any) -> None:
        try:
            super().__init__(**given)
        except ValidationError as error:
            raise InputError(problems=[_problem(type(self), item) for item in error.errors()]) from None


def read_toml(path: Path) -> dict[str, Any]:
    """Return the tables of a TOML file; InputError if it is missing, oversized or malformed."""
    return parse_toml(read_text(path, most_bytes=LARGEST_FILE), str(path))


def _problem(model: type[Table], item: Any) -> Problem:
    where = ".".join(map(str, item["loc"]))
    if item["type"] == "extra_forbidden":
        word, owner = str(item["loc"][-1]), _model_at(model, item["loc"][:-1])
        return Problem(where, "unknown word", owner.hints.get(word) or nearest(word, owner.model_fields))
    message = item["msg"].removeprefix("Value error, ").replace("a valid tuple", "a list")
    message = message[0].lower() + message[1:]
    shown = "" if item["type"] == "missing" else f", got {item['input']!r}"[:120]
    return Problem(where, message + shown)


def _model_at(model: type[Table], place: Sequence[int | str]) -> type[Table]:
    """Return the table that `place` leads to, through lists and optional tables."""
    for step in place:
        field = model.model_fields.get(str(step))
        inner = _table_in(field.annotation) if field is not None else None
        model = inner or model
    return model


def _table_in(annotation: Any) -> type[Table] | None:
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        return annotation if issubclass(annotation, Table) else None
    found = (_table_in(part) for part in get_args(annotation))
    return next((table for table in found if table is not None), None)
