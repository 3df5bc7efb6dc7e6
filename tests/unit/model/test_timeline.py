"""Tasks on shared resources: start and end cycles worked out by hand, and against a naive simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.errors import VerifyError
from hwsim.model.timeline import Task, run_tasks


def test_transfers_hide_behind_work() -> None:
    """Load, work, store of two tiles on one DMA and one array."""
    tasks = [
        Task("load 0", "dma", 4),
        Task("work 0", "array", 10, (0,)),
        Task("load 1", "dma", 4),
        Task("store 0", "dma", 3, (1,)),
        Task("work 1", "array", 5, (2,)),
        Task("store 1", "dma", 3, (4,)),
    ]
    timeline = run_tasks(tasks)
    assert timeline.start.tolist() == [0, 4, 4, 14, 14, 19]
    assert timeline.end.tolist() == [4, 14, 8, 17, 19, 22]
    assert timeline.cycles == 22
    assert (timeline.busy_cycles("dma"), timeline.busy_cycles("array"), timeline.busy_cycles("gpu")) == (
        14,
        15,
        0,
    )


def test_no_tasks_take_no_time() -> None:
    assert run_tasks([]).cycles == 0


@pytest.mark.parametrize("after", [(0,), (1,), (-1,), (5,)])
def test_waiting_for_oneself_or_the_future_is_our_bug(after: tuple[int, ...]) -> None:
    with pytest.raises(VerifyError) as caught:
        run_tasks([Task("late", "dma", 1, after)])
    assert [(p.where, p.reason) for p in caught.value.problems] == [
        ("timeline.late", f"takes 1 cycles after {after}")
    ]


def test_negative_time_is_our_bug() -> None:
    with pytest.raises(VerifyError, match="-1 cycles"):
        run_tasks([Task("back", "dma", -1)])


def test_clocks_are_whole_numbers_beyond_what_a_float_holds() -> None:
    """2^53 + 1 is no double; results are shared, so nobody may write into them."""
    wait = Task("wait", "cpu", 0, (1,))
    timeline = run_tasks([Task("long", "dma", 2**53), Task("one more", "dma", 1), wait])
    assert timeline.end.tolist() == [2**53, 2**53 + 1, 2**53 + 1]
    assert timeline.start.tolist() == [0, 2**53, 2**53 + 1]
    assert timeline.start.dtype == timeline.end.dtype == np.int64
    for column in (timeline.start, timeline.end):
        with pytest.raises(ValueError, match="read-only"):
            column[0] = 7


@st.composite
def programs(draw: st.DrawFn) -> list[Task]:
    count = draw(st.integers(0, 12))
    return [
        Task(
            f"t{i}",
            draw(st.sampled_from("abc")),
            draw(st.integers(0, 6)),
            tuple(draw(st.lists(st.integers(0, i - 1), max_size=3)) if i else ()),
        )
        for i in range(count)
    ]


@given(programs())
def test_equals_a_clock_by_clock_simulation(tasks: list[Task]) -> None:
    """Every clock, each resource starts its next task in program order once its predecessors have ended."""
    started: dict[int, int] = {}
    ended: dict[int, int] = {}
    clock = 0
    while len(ended) < len(tasks):
        moved = True
        while moved:
            moved = False
            for index, task in enumerate(tasks):
                if index in started:
                    if index not in ended and clock >= started[index] + task.cycles:
                        ended[index], moved = clock, True
                    continue
                queue = [i for i, other in enumerate(tasks[:index]) if other.resource == task.resource]
                if all(i in ended for i in (*queue, *task.after)):
                    started[index], moved = clock, True
        clock += 1
    timeline = run_tasks(tasks)
    assert timeline.start.tolist() == [started[i] for i in range(len(tasks))]
    assert timeline.end.tolist() == [ended[i] for i in range(len(tasks))]


@given(programs())
def test_takes_at_least_the_busiest_resource_and_at_most_everything(tasks: list[Task]) -> None:
    timeline = run_tasks(tasks)
    busy = [timeline.busy_cycles(resource) for resource in "abc"]
    assert max(busy) <= timeline.cycles <= sum(busy)
