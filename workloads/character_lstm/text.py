"""The text that the character LSTM is trained on: the help topics that come with CPython."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

SYMBOLS = 96
HELD_OUT_CHARACTERS = 16 * 1001


def encode(text: str) -> NDArray[np.int64]:
    """Return one index per character: 0 is the line feed, 1 to 95 are printable ASCII, the rest is ``?``."""
    codes = np.frombuffer(text.encode("ascii", "replace"), dtype=np.uint8).astype(np.int64)
    printable = np.where((codes >= 32) & (codes < 127), codes, ord("?")) - 31
    return np.where(codes == 10, 0, printable)


def decode(indices: Iterable[int]) -> str:
    """Return the text of indices that `encode` gave."""
    return "".join("\n" if index == 0 else chr(int(index) + 31) for index in indices)


def paragraphs() -> tuple[str, str]:
    """Return the help topics, each different paragraph once, and the SHA-256 of the topics as they are.

    The topics change a little between patch releases of Python; the digest says which text it was.
    """
    from pydoc_data.topics import topics

    whole = "\n".join(topics[name] for name in sorted(topics))
    once = dict.fromkeys(whole.split("\n\n"))
    return "\n\n".join(once), hashlib.sha256(whole.encode()).hexdigest()


def held_out(text: str) -> tuple[str, str]:
    """Return the end of `text`, on which the networks are measured, and what is left to train on."""
    return text[-HELD_OUT_CHARACTERS:], text[:-HELD_OUT_CHARACTERS]
