"""What row commands do to rows, and what a file of microprograms may not say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelerators.dram_pim.execute import verify_commands
from accelerators.dram_pim.expand import Kind, Library, library
from accelerators.dram_pim.parse import read_programs
from hwsim.errors import InputError, VerifyError
from hwsim.kernels.dram_rows import from_rows, pack, run_commands, run_commands_bitwise, to_rows, unpack
from tests.examples import examples


def execute(rows: list[list[int]], *commands: list[int]) -> list[list[int]]:
    bits = np.array(rows, np.uint8)
    words, orders = pack(bits), np.array(commands, np.int64)
    run_commands(words, orders)
    run_commands_bitwise(bits, orders)
    assert np.array_equal(unpack(words, bits.shape[1]), bits)
    return bits.tolist()


def test_three_rows_become_their_majority() -> None:
    rows = [[0, 0, 0, 0, 1, 1, 1, 1], [0, 0, 1, 1, 0, 0, 1, 1], [0, 1, 0, 1, 0, 1, 0, 1]]
    majority = [0, 0, 0, 1, 0, 1, 1, 1]
    assert execute(rows, [Kind.AP, 0, 1, 2, 0, -1, -1, -1, 0]) == [majority] * 3


def test_a_copy_leaves_its_source_and_reaches_three_rows_one_of_them_negated() -> None:
    rows = [[0, 1], [1, 1], [0, 0], [0, 0]]
    assert execute(rows, [Kind.AAP, 0, -1, -1, 0, 1, 2, 3, 0b010]) == [[0, 1], [0, 1], [1, 0], [0, 1]]


def test_the_negating_contact_reads_the_complement() -> None:
    assert execute([[0, 1], [0, 0]], [Kind.AAP, 0, -1, -1, 1, 1, -1, -1, 0]) == [[0, 1], [1, 0]]


def test_pseudo_precharge_joins_the_next_row_and_is_gone_afterwards() -> None:
    rows = [[0, 0, 1, 1], [0, 1, 0, 1], [0, 1, 0, 1]]
    joined = execute(rows, [Kind.APP_OR, 0, -1, -1, 0, -1, -1, -1, 0], [Kind.AP, 1, -1, -1, 0, -1, -1, -1, 0],
                     [Kind.AP, 2, -1, -1, 0, -1, -1, -1, 0])
    assert joined == [rows[0], [0, 1, 1, 1], rows[2]]
    both = execute(rows, [Kind.APP_AND, 0, -1, -1, 1, -1, -1, -1, 0], [Kind.AP, 1, -1, -1, 0, -1, -1, -1, 0])
    assert both[1] == [0, 1, 0, 0]


@examples(40)
@given(seed=st.integers(0, 2**32 - 1), lanes=st.sampled_from([1, 63, 64, 65, 8200]))
def test_packed_words_equal_single_bits_for_any_commands(seed: int, lanes: int) -> None:
    rng = np.random.default_rng(seed)
    commands = np.full((12, 9), -1, np.int64)
    commands[:, 0] = rng.integers(0, 6, 12)
    for command in commands:
        three = rng.permutation(7)[:3]
        opened = 3 if rng.integers(3) == 0 and command[0] < 2 else 1
        command[1 : 1 + opened] = three[:opened]
        command[4] = int(rng.integers(2)) if opened == 1 else 0
        command[8] = int(rng.integers(8))
        targets = rng.permutation(7)[: int(rng.integers(1, 4))]
        if command[0] == Kind.AAP:
            command[5 : 5 + len(targets)] = targets
    shown = min(lanes, 130)
    bits = rng.integers(0, 2, (7, lanes)).astype(np.uint8)
    words, single = pack(bits), bits[:, :shown].copy()
    run_commands(words, commands)
    run_commands_bitwise(single, commands)
    assert np.array_equal(unpack(words, lanes)[:, :shown], single)


@given(st.lists(st.integers(-128, 127), min_size=1, max_size=70))
def test_numbers_survive_the_vertical_layout(numbers: list[int]) -> None:
    values = np.array(numbers, np.int64)
    rows = to_rows(values, 8)
    assert np.array_equal(from_rows(unpack(pack(rows), len(numbers)), signed=True), values)
    assert np.array_equal(from_rows(rows, signed=False), values % 256)


def test_rows_that_hold_nothing_are_not_read() -> None:
    reads = np.array([[Kind.AAP, 3, -1, -1, 0, 4, -1, -1, 0]])
    with pytest.raises(VerifyError, match="command 0 reads row 3"):
        verify_commands(reads, {4})
    spoilt = np.array([[Kind.TAPP_OR, 3, -1, -1, 0, -1, -1, -1, 0], [Kind.AP, 4, -1, -1, 0, -1, -1, -1, 0],
                       [Kind.AP, 3, -1, -1, 0, -1, -1, -1, 0]])
    with pytest.raises(VerifyError, match="command 2 reads row 3"):
        verify_commands(spoilt, {3, 4})


BAD = {
    "C0 <- a": r"line:2: 'C0 <- a' writes the constant row C0",
    "T0+C1 <- a": r"no address of the row decoder opens these rows",
    "out <- T2+T3": r"T2 \+ T3 opens two rows at once: what their charges share is undefined",
    "T0+T3": r"opens two rows at once",
    "a+b+out": r"(a|b|out) is a data row; only cells are activated together",
    "out <- ~a": r"~a: only DCC0 and DCC1 have a negating contact",
    "out <- ~T0": r"~T0: only DCC0 and DCC1 have a negating contact",
    "out <- c": r"'c' names no rows of f",
    "out <- T4": r"'T4' names no rows of f: did you mean 'T\d'|'T4' names no rows of f",
    "APP or T0+T1+T2": r"a pseudo-precharge holds one row",
    "out <- a b": r"' a b' is no expression|'a b' is no expression",
    "call f(a, b) -> out": r"f calls itself",
}


@pytest.mark.parametrize("line", BAD)
def test_bad_commands_are_refused_with_their_line(line: str, tmp_path: Path) -> None:
    path = tmp_path / "line"
    path.write_text(f"f(a, b) -> out\n    {line}\n", encoding="utf-8")
    with pytest.raises(InputError, match=BAD[line]):
        read_programs(path)


def test_all_bad_programs_of_a_file_are_reported_at_once(tmp_path: Path) -> None:
    path = tmp_path / "bad.txt"
    text = "f(a) -> out\n    C1 <- a\nno head\n    T0 <- T1\ng(a) -> out\nh(a) -> out\n    T9 <- a\n"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_programs(path)
    assert [problem.where for problem in caught.value.problems] == ["bad.txt:2", "bad.txt:3", "bad.txt:5",
                                                                    "bad.txt:6"]


def test_calls_of_programs_that_no_file_has_are_refused() -> None:
    with pytest.raises(InputError, match=r"logic\.txt:\d+: no microprogram 'xor'"):
        Library(["logic"])


def test_sizes_that_do_not_fit_are_refused() -> None:
    programs = library("simdram", "ambit", "logic")
    with pytest.raises(InputError, match="a of 0 bits; at least 1"):
        programs.count("add", (0, 0))
    with pytest.raises(InputError, match="b has 3 rows where 4 are needed"):
        programs.count("add", (4, 3))
    with pytest.raises(InputError, match="add takes 2 operands, not 1"):
        programs.count("add", (4,))
    with pytest.raises(InputError, match="did you mean 'multiply'"):
        programs.count("multipy", (4, 4))
    with pytest.raises(InputError, match="repeats -3 times"):
        programs.expand("mac_unsigned", (5, 4, 4))
