from __future__ import annotations

import pytest

from hwsim.errors import InputError
from hwsim.schedule.network_budget import parse_budget
from hwsim.schedule.types import Problem

PROBLEM = Problem.from_blocks({"size": [3, 4], "ins": [[], [0]]})


@pytest.mark.parametrize(("text", "blocks"), [
    ("512KiB", 512), ("2 MiB", 2048), ("180blocks", 180), ("1 block", 1), ("4096", 4), (8192, 8),
    ("4096 B", 4), ("1.5KiB", 1)])
def test_sizes_as_people_write_them(text: str | int, blocks: int) -> None:
    assert parse_budget(text, PROBLEM)[0] == blocks


def test_rounding_down_is_said() -> None:
    blocks, notes = parse_budget("3000", PROBLEM)
    assert blocks == 2
    assert notes == ("2.93 KiB rounded down to 2 blocks of 1024 bytes: 952 bytes are not used",)
    assert parse_budget("3KiB", PROBLEM)[1] == ()


@pytest.mark.parametrize(("text", "words"), [
    ("512kB", "ambiguous"), ("512KB", "ambiguous"), ("1 MB", "ambiguous"), ("0", "larger than zero"),
    ("-3", "larger than zero, not -3 bytes"), ("0blocks", "not 0 blocks"), ("-2blocks", "not -2 blocks"),
    ("1023", "not even one block"), ("many", "does not begin with a number"), ("", "number"),
    ("3 pJ", "does not fit"), ("1e99KiB", "no size"), ("99999999999999999999blocks", "no size"),
    ("9" * 30, "no size of a scratchpad"),
    ("4.2blocks", "blocks")])
def test_what_is_no_size_is_refused(text: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        parse_budget(text, PROBLEM)
    assert caught.value.problems[0].where == "scratchpad"
