"""Damage done to a file: bytes, lines, values of a document, arrays of an archive; all from one generator."""

from __future__ import annotations

import copy
import io
import json
import math
import random
import re
import tomllib
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np

_NUMBER = re.compile(r"[0-9]+")
Mutate = Callable[[bytes, random.Random], bytes]

TOKENS = [
    "0",
    "-0",
    "-1",
    "1",
    "2",
    "3.5",
    "65536",
    "2147483648",
    "9223372036854775807",
    "9223372036854775808",
    "1" + "0" * 12,
    "9" * 40,
    "1" * 5000,
    "1e18",
    "1e308",
    "1e400",
    "-1e400",
    "1e-300",
    "nan",
    "NaN",
    "inf",
    "-inf",
    "",
    " ",
    "\t",
    "x",
    "true",
    "null",
    "None",
    "[]",
    "{}",
    "0x10",
    "1_000",
    "1:4",
    "2:1",
    "=",
    ",",
    ";",
    '"',
    "'",
    "\\",
    "#",
    "%s",
    "../..",
    "/dev/null",
    "\x00",
    "\x1b[31m",
    "\u00e9",
    "\u0665",
    "\u00b2",
    "\u202e",
    "\U0001f980",
    "\ufeff",
    "12 kB",
    "64KiB",
    "700MHz",
    "5y",
    "-5 pJ",
    "1e30 m^2",
    "7 parsec",
]
VALUES: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    1,
    2,
    3,
    65536,
    2**31,
    2**63 - 1,
    2**63,
    -(2**63),
    10**12,
    10**40,
    10**400,
    0.5,
    -0.0,
    1e-300,
    1e308,
    math.nan,
    math.inf,
    -math.inf,
    "",
    " ",
    "x",
    "nan",
    "inf",
    "-1",
    "1e400",
    "0",
    "all",
    "best",
    "modeled",
    "\u00e9\u202e\x00",
    "12 kB",
    "1 GHz",
    "0 W",
    "a" * 3000,
    [],
    {},
    [[]],
    [None],
    [0],
    [-1],
    [1, "x"],
    [[1, 2], [3]],
    {"a": 1},
    {"": None},
    [10**400],
    list(range(50)),
]


def damaged_bytes(data: bytes, rng: random.Random) -> bytes:
    """Flip, set, delete, insert or repeat bytes, or cut the end off."""
    changed = bytearray(data)
    for _ in range(rng.choice([1, 1, 1, 2, 4, 16])):
        at, length = rng.randrange(len(changed) + 1), rng.choice([1, 1, 2, 8, 100])
        action = rng.randrange(7)
        if action == 0 and at < len(changed):
            changed[at] ^= 1 << rng.randrange(8)
        elif action == 1 and at < len(changed):
            changed[at] = rng.choice([0, 9, 10, 13, 32, 45, 127, 128, 192, 255, rng.randrange(256)])
        elif action == 2:
            del changed[at : at + length]
        elif action == 3:
            changed[at:at] = rng.randbytes(length)
        elif action == 4:
            changed[at:at] = changed[at : at + length] * rng.choice([1, 3])
        elif action == 5 and rng.random() < 0.3:
            del changed[at:]
        elif action == 6 and rng.random() < 0.1:
            changed[:] = rng.choice(
                [
                    b"",
                    b"\n",
                    b"\xef\xbb\xbf" + bytes(changed),
                    bytes(4096),
                    b"[" * 4000,
                    b'{"a":' * 3000,
                    b"\xff\xfe" + bytes(changed),
                ]
            )
    return bytes(changed)


def damaged_lines(data: bytes, rng: random.Random) -> bytes:
    """Swap, delete or repeat lines; replace, drop or add words and fields."""
    lines = data.decode().splitlines()
    for _ in range(rng.choice([1, 1, 2, 3])):
        at, action = rng.randrange(len(lines)), rng.randrange(8)
        if action == 0:
            lines.insert(at, lines[rng.randrange(len(lines))])
        elif action == 1 and len(lines) > 1:
            del lines[at]
        elif action == 2:
            other = rng.randrange(len(lines))
            lines[at], lines[other] = lines[other], lines[at]
        elif action == 3:
            lines.insert(at, rng.choice(TOKENS))
        elif action < 6:
            lines[at] = _NUMBER.sub(
                lambda found: _other_number(found[0], rng), lines[at], count=rng.choice([1, 2, 9])
            )
        else:
            lines[at] = _other_word(lines[at], rng)
    whole = rng.choice(["\n", "\n", "\n", "\r\n", "\r"]).join(lines).encode()
    return damaged_bytes(whole, rng) if rng.random() < 0.2 else whole


def _other_number(text: str, rng: random.Random) -> str:
    """Return a number near `text`, so that the file may stay sound, or `text`."""
    number = int(text[:18])
    return str(
        rng.choice(
            [number, number, number + 1, abs(number - 1), 10 * number, number * 2**20, rng.randrange(9)]
        )
    )


def _other_word(line: str, rng: random.Random) -> str:
    mark = rng.choice([mark for mark in (",", " ", "=", "[", "]") if mark in line] or [" "])
    words = line.split(mark)
    at, action = rng.randrange(len(words)), rng.randrange(5)
    if action == 0:
        del words[at]
    elif action == 1:
        words.insert(at, rng.choice(TOKENS))
    elif action == 2:
        words.insert(at, words[rng.randrange(len(words))])
    else:
        words[at] = rng.choice(TOKENS)
    return mark.join(words)


def _places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items: Any = ()
    if isinstance(document, dict):
        items = document.items()
    elif isinstance(document, list):
        items = list(enumerate(document))[:40]
    return [path, *(place for key, child in items for place in _places(child, (*path, key)))]


def damaged_values(document: Any, rng: random.Random) -> Any:
    """Return a copy in which some values are of another kind or size, gone, renamed, repeated or nested."""
    changed = copy.deepcopy(document)
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        places = [place for place in _places(changed) if place]
        if not places:
            return changed
        *holders, key = rng.choice(places)
        holder = changed
        for name in holders:
            holder = holder[name]
        action = rng.randrange(8)
        if action == 0:
            del holder[key]
        elif action == 1 and isinstance(holder, dict):
            holder[rng.choice([f"{key}_", str(key).upper(), str(key)[:-1], ""])] = holder.pop(key)
        elif action == 2 and isinstance(holder, list):
            holder.insert(key, copy.deepcopy(rng.choice(holder)))
        elif action == 3:
            holder[key] = rng.choice(
                [[holder[key]], {"value": holder[key]}, str(holder[key]), [[[holder[key]]]]]
            )
        elif action == 4 and isinstance(holder[key], int | float) and abs(holder[key]) < 1e300:
            holder[key] = rng.choice([-holder[key], holder[key] * 10**6, holder[key] + 0.5, holder[key] + 1])
        else:
            holder[key] = copy.deepcopy(rng.choice(VALUES))
    return changed


def damaged_json(data: bytes, rng: random.Random) -> bytes:
    """Damage the document (mostly) or the text."""
    if rng.random() < 0.25:
        return damaged_bytes(data, rng)
    return json.dumps(damaged_values(json.loads(data), rng)).encode()


def damaged_toml(data: bytes, rng: random.Random) -> bytes:
    """Damage the document (half the time) or the lines."""
    if rng.random() < 0.5:
        return damaged_lines(data, rng)
    return toml_text(damaged_values(tomllib.loads(data.decode()), rng)).encode()


def toml_text(document: dict[str, Any]) -> str:
    """Return a document as TOML, all tables inline; what TOML cannot hold is left out or spelled in words."""
    return "".join(f"{json.dumps(str(key))} = {_toml(value)}\n" for key, value in document.items())


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(str(key))} = {_toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, bool) or value is None:
        return "false" if not value else "true"
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else str(value)
    if isinstance(value, int):
        return f"1{'0' * 400}" if value == 10**400 else str(value)
    return json.dumps(value)


def damaged_archive(data: bytes, rng: random.Random) -> bytes:
    """Damage the arrays of an .npz archive, the header of one of them, or the bytes of the file."""
    chance = rng.random()
    if chance < 0.3:
        return damaged_bytes(data, rng)
    with np.load(io.BytesIO(data)) as archive:
        arrays: dict[str, Any] = {name: archive[name] for name in archive.files}
    name = rng.choice(list(arrays))
    if chance < 0.4:
        return _with_false_header(arrays, name, rng)
    change = rng.choice(_ARRAY_CHANGES)
    found = change(np.array(arrays[name]), rng)
    if found is None:
        del arrays[name]
    else:
        arrays[name] = found
    if rng.random() < 0.1:
        arrays[rng.choice(["", "x", f"{name}_", "../up"])] = np.zeros(3)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def _spoiled(array: Any, rng: random.Random) -> Any:
    value = rng.choice([math.nan, math.inf, -math.inf, 1e308, -1e308, 1e-320, -1.0, 2.0**63, 1e9])
    flat = array.astype(np.float64)
    if flat.size and rng.random() < 0.5:
        flat.reshape(-1)[rng.randrange(flat.size)] = value
    else:
        flat = np.full_like(flat, value)
    return flat


def _converted(array: Any, rng: random.Random) -> Any:
    kind = rng.choice(
        [
            "bool",
            "int8",
            "uint8",
            "int64",
            ">i4",
            "float16",
            ">f8",
            "complex128",
            "U3",
            "S2",
            "datetime64[s]",
            "longdouble",
            "uint64",
        ]
    )
    real = np.nan_to_num(array.real.astype(np.float64), posinf=0, neginf=0)
    return np.clip(real, 0, 100).astype(np.int64).astype(kind)


_ARRAY_CHANGES: list[Callable[[Any, random.Random], Any]] = [
    lambda array, rng: None,
    lambda array, rng: array.reshape(-1),
    lambda array, rng: array[None],
    lambda array, rng: array[..., None],
    lambda array, rng: array.T,
    lambda array, rng: array[:0],
    lambda array, rng: array[:1],
    lambda array, rng: array[: max(1, len(array) // 2)] if array.ndim else array,
    lambda array, rng: np.concatenate([array, array]) if array.ndim else np.stack([array, array]),
    lambda array, rng: np.array(rng.choice([0, -1, 10**12, math.nan, 1e308])),
    lambda array, rng: np.array(rng.choice(["x", b"y", True])),
    lambda array, rng: np.array([{"a": 1}], dtype=object),
    lambda array, rng: np.zeros(3, dtype=[("a", "i4"), ("b", "f8")]),
    lambda array, rng: -array.astype(np.float64),
    lambda array, rng: array.astype(np.float64) * rng.choice([1e6, 1e12]),
    _spoiled,
    _spoiled,
    _converted,
    _converted,
]


def _with_false_header(arrays: dict[str, Any], name: str, rng: random.Random) -> bytes:
    """Write `name` with a header that promises another shape or type than its bytes hold."""
    buffer = io.BytesIO()
    header = {
        "descr": rng.choice(["<f8", "<i4", "|O", "|V8", "<U9999999", "nonsense"]),
        "fortran_order": rng.choice([False, True]),
        "shape": rng.choice([(10**12,), (2**40, 2**40), (-1,), (), (3, 0), (5,)]),
    }
    with zipfile.ZipFile(buffer, "w") as archive:
        for key, array in arrays.items():
            inner = io.BytesIO()
            np.save(inner, array)
            raw = inner.getvalue()
            if key == name:
                text = f"{header!r}".encode().ljust(117) + b"\n"
                raw = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + raw[128:]
            archive.writestr(f"{key}.npy", raw)
    return buffer.getvalue()
