from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hwsim.kernels import compiling
from hwsim.kernels.bit_masks import hash_words
from hwsim.kernels.schedule_promise import promise, survey
from hwsim.schedule import Problem
from hwsim.schedule.packing import Rectangle, exhaust
from hwsim.schedule.search import search, tabulate


def random_problem(generator: np.random.Generator, count: int) -> Problem:
    ins = [sorted({int(u) for u in generator.integers(0, v, generator.integers(1, 4))}) if v else []
           for v in range(count)]
    return Problem.from_blocks({"size": generator.integers(1, 9, count).tolist(), "ins": ins})


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("width", [None, 5])
def test_searches_give_the_same_in_python_and_compiled(seed: int, width: int | None) -> None:
    problem = random_problem(np.random.default_rng(seed), 9 + seed)
    found = []
    for fast in (False, True):
        with compiling.forced(fast=fast):
            found.append(search(problem, problem.smallest_budget, 1 << 40, width=width))
    assert found[0] == found[1]
    assert found[0].path is not None


@pytest.mark.parametrize("seed", range(4))
def test_bounds_of_ends_are_the_same_in_python_and_compiled(seed: int) -> None:
    generator = np.random.default_rng(seed)
    problem = random_problem(generator, 9)
    tables = tabulate(problem)
    by_rank = np.array([generator.permutation(9) for _ in range(2)])
    suffix = np.sort(generator.integers(0, 50, (2, 10)), axis=1)[:, ::-1].copy()
    suffix[:, 9] = 0
    executed = np.array([int(generator.integers(0, 1 << 9))], np.uint64)
    rank, discount = np.argsort(by_rank, axis=1), tables.arrays.discount
    found = []
    for fast in (False, True):
        later, earlier = np.zeros((2, 2, 10), np.int64)
        with compiling.forced(fast=fast):
            survey(executed, by_rank, suffix, discount, later, earlier)
            found.append([promise(v, rank, discount, later, earlier) for v in range(9)])
    ran = [v for v in range(9) if int(executed[0]) >> v & 1]
    expected = [max(0, *(int(suffix[k, r]) - sum(int(discount[w]) for w in {*ran, v} if rank[k, w] >= r)
                         for k in range(2) for r in range(10))) for v in range(9) if v not in ran]
    assert found[0] == found[1]
    assert [found[0][v] for v in range(9) if v not in ran] == expected


@pytest.mark.parametrize("budget", [9, 12, 16])
def test_packings_are_the_same_in_python_and_compiled(budget: int) -> None:
    generator = np.random.default_rng(budget)
    starts = generator.integers(0, 10, 12).tolist()
    items = [Rectangle(s, s + int(generator.integers(0, 4)), int(generator.integers(1, 5))) for s in starts]
    found = []
    for fast in (False, True):
        with compiling.forced(fast=fast):
            found.append(exhaust(items, budget, nodes=200))
    assert found[0] == found[1]


def test_long_work_is_compiled_and_short_work_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    words = np.array([3, 5], np.uint64)
    with compiling.forced(fast=False):
        short = hash_words(words)
        assert not compiling.is_compiled()
        monkeypatch.setattr(compiling._EFFORT, "_allowed_s", -1.0)
        assert hash_words(words) == short
        assert compiling.is_compiled()
        assert hash_words(words) == short


def test_compiled_code_lies_with_the_user_under_the_state_of_the_sources(
        monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = compiling.cache_folder.__wrapped__()
    assert folder is not None
    assert folder.parent == tmp_path / "hwsim"
    copy = tmp_path / "kernels"
    copy.mkdir()
    for source in Path(compiling.__file__).parent.glob("*.py"):
        (copy / source.name).write_bytes(source.read_bytes())
    monkeypatch.setattr(compiling, "__file__", str(copy / "compiling.py"))
    assert compiling.cache_folder.__wrapped__() == folder
    (copy / "bit_masks.py").write_text("# another state\n")
    assert compiling.cache_folder.__wrapped__() != folder
