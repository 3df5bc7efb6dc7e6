"""Reads text and TOML that strangers wrote: bounded, and refused in the same words everywhere."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

from hwsim.errors import InputError

_TOML_LINE: Final = re.compile(r"(.*) \(at line (\d+), column \d+\)")
_TOML_TWICE: Final = re.compile(r"overwrite|twice|duplicate|mutate", re.IGNORECASE)
_LONGEST_REASON: Final = 200
_PIECE_BYTES: Final = 1 << 20


def read_text(path: Path, *, most_bytes: int, where: str = "", hint: str = "",
              error: type[InputError] = InputError) -> str:
    """Return the text of a file in UTF-8, with or without a mark at its beginning.

    Parameters
    ----------
    path : Path
        The file.
    most_bytes : int
        Larger files are refused, and not read to their end.
    where, hint : str
        How messages call the file, its path if left out, and what to do about it.
    error : type of InputError
        What is raised.

    Raises
    ------
    InputError
        The file is missing, cannot be read, is too large or no text.
    """
    where = where or str(path)
    try:
        with path.open("rb") as stream:
            raw = b"".join(_pieces(stream, most_bytes + 1))
    except (OSError, ValueError) as refusal:
        reason = getattr(refusal, "strerror", None) or refusal
        raise error(f"cannot be read: {reason}", where=where, hint=hint) from None
    if len(raw) > most_bytes:
        raise error(f"is larger than {most_bytes / 2**20:g} MiB", where=where, hint=hint)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as refusal:
        raise error(f"is not text: byte {refusal.start} is not UTF-8", where=where, hint=hint) from None


def _pieces(stream: BinaryIO, most_bytes: int) -> Iterator[bytes]:
    """Yield what is there, up to `most_bytes`: asked for at once, their memory would be taken at once."""
    while most_bytes > 0 and (piece := stream.read(min(most_bytes, _PIECE_BYTES))):
        most_bytes -= len(piece)
        yield piece


def parse_toml(text: str, where: str, error: type[InputError] = InputError) -> dict[str, Any]:
    """Return the document of a TOML text; `error` with the line if it is none, or defines something twice."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise error("is not valid TOML: nested too deeply", where=where) from None
    except ValueError as refusal:
        reason, place = str(refusal), where
        if matched := _TOML_LINE.fullmatch(reason):
            reason, place = matched[1], f"{where}:{matched[2]}"
            if _TOML_TWICE.search(reason):
                lines = text.splitlines()
                shown = lines[int(matched[2]) - 1].strip() if int(matched[2]) <= len(lines) else ""
                raise error(f"{shown!r} defines a key or table a second time", where=place,
                            hint="keep one of the two") from None
        raise error(f"is not valid TOML: {reason[:_LONGEST_REASON]}", where=place) from None
