"""Where a field stands in a TOML file: the line a mistake is named with."""

from __future__ import annotations

import pytest

from hwsim.model.carbon.lines import line_of

TEXT = """# a scenario
label = "mine = yours"
 use.intensity = 3
X = 1

[engines.edge_gpu]  # a chip
idle_power = "5 W"
"active_power" = "20 W"
dies = [{ node = "28", area = "1 mm^2" }]
[ 'a' . b ]
x = 1
[engines.edge_gpu]
idle_power = "7 W"
[[list]]
y = 2
"""


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("label", 2),
        ("use.intensity", 3),
        ("X", 4),
        ("engines.edge_gpu", 6),
        ("engines.edge_gpu.idle_power", 7),
        ("engines.edge_gpu.active_power", 8),
        ("engines.edge_gpu.dies", 9),
        ("engines.edge_gpu.dies[0].area", 9),
        ("engines.edge_gpu.dies[12]", 9),
        ("engines.edge_gpu.throughput", 6),
        ("a.b", 10),
        ("a.b.x", 11),
        ("list", 14),
        ("list.y", 15),
        ("engines", None),
        ("engines.other.idle_power", None),
        ("nowhere", None),
        ("", None),
    ],
)
def test_the_longest_beginning_that_stands_on_a_line_counts(place: str, line: int | None) -> None:
    assert line_of(TEXT, place) == line
