"""A report over time as a picture: when which layer runs, when it waits, and how long each unit works."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from hwsim.report.perfetto import Slice, lay_out, tracks_of
from hwsim.report.pictures.drawing import PALETTE
from hwsim.report.pictures.svg import attribute, frame, line, number, short, text, ticks
from hwsim.report.types import Report
from hwsim.units import format_si

_WIDTH, _LEFT, _RIGHT, _TOP, _LANE, _BOTTOM = 1100.0, 150.0, 20.0, 62.0, 30.0, 34.0
_STYLE = (".stall{fill:#D55E00}.run{fill:currentColor;fill-opacity:.22}.run.odd{fill-opacity:.38}"
          ".lane{stroke:currentColor;stroke-opacity:.12}")
_LEAST_WIDTH, _LETTER = 0.6, 6.0
_COLOURS = tuple(colour for colour in PALETTE if colour != "#D55E00")  # that one is for stalls


def timeline_svg(report: Report, title: str) -> str:
    """Draw the timeline that `--timeline` writes; equal reports give equal bytes.

    Layers stand one after another; inside a layer the work of each unit is drawn from its start, stalls at
    its end, as the report does not record how they interleave. Neighbours too thin to see are joined.
    """
    tracks = {"layers": min(tracks_of(report).values(), default=2) - 1} | tracks_of(report)
    slices = lay_out(report)
    whole = max(report.totals.cycles, 1)
    scale = (_WIDTH - _LEFT - _RIGHT) / whole
    floor = _TOP + _LANE * len(tracks)
    body = [text(_LEFT, 20, title, extra='class="head"'), _legend(),
            _axis(report.totals.time_s, floor)]
    for row, (name, track) in enumerate(tracks.items()):
        y = _TOP + _LANE * row
        body.append(text(_LEFT - 8, y + _LANE / 2 + 4, short(name, 22), anchor="end"))
        body.append(line(_LEFT, y + _LANE, _WIDTH - _RIGHT, y + _LANE, "lane"))
        own = [piece for piece in slices if piece.track == track]
        if row:
            fill = f'fill="{_COLOURS[(row - 1) % len(_COLOURS)]}"'
            body += [_box(group, y, scale, fill) for group in _joined(own, scale)]
        else:
            body += _layers(own, y, scale)
    return frame(_WIDTH, floor + _BOTTOM, title, _STYLE, "".join(body))


def _layers(slices: Sequence[Slice], y: float, scale: float) -> list[str]:
    """Draw layers in two shades, with their names where there is room, and stalls over them."""
    drawn = []
    for at, group in enumerate(_joined([piece for piece in slices if piece.depth == 0], scale)):
        drawn.append(_box(group, y, scale, f'class="run{" odd" if at % 2 else ""}"'))
        room = int((group[-1].end_cycles - group[0].start_cycles) * scale / _LETTER) - 1
        if len(group) == 1 and room >= 4:
            drawn.append(text(_LEFT + group[0].start_cycles * scale + 4, y + _LANE / 2 + 4,
                              short(group[0].name, room), extra='style="pointer-events:none"'))
    stalls = [piece for piece in slices if piece.category == "stall"]
    return drawn + [_box(group, y, scale, 'class="stall"') for group in _joined(stalls, scale)]


def _joined(slices: Sequence[Slice], scale: float) -> list[list[Slice]]:
    """Join neighbours of which one is too thin to see and the gap is as well."""
    groups = [[piece] for piece in slices[:1]]
    for before, piece in pairwise(slices):
        widths = [(each.end_cycles - each.start_cycles) * scale for each in (before, piece)]
        gap = (piece.start_cycles - before.end_cycles) * scale
        if min(widths) < _LEAST_WIDTH and gap < _LEAST_WIDTH:
            groups[-1].append(piece)
        else:
            groups.append([piece])
    return groups


def _box(group: Sequence[Slice], y: float, scale: float, look: str) -> str:
    start, end = group[0].start_cycles, group[-1].end_cycles
    cycles = sum(piece.end_cycles - piece.start_cycles for piece in group)
    name = group[0].name if len(group) == 1 else f"{len(group)} slices from {group[0].name}"
    return (f'<rect {look} x="{number(_LEFT + start * scale)}" y="{number(y + 4)}" '
            f'width="{number(max((end - start) * scale, 0.3))}" height="{number(_LANE - 8)}">'
            f"<title>{attribute(f'{name}: {cycles:,} cycles from {start:,}')[1:-1]}</title></rect>")


def _axis(time_s: float, floor: float) -> str:
    if not time_s:
        return ""
    power = 10.0 ** math.floor(math.log10(time_s))
    parts = []
    for mark in ticks(0.0, time_s / power, 10):
        x = _LEFT + mark * power / time_s * (_WIDTH - _LEFT - _RIGHT)
        parts.append(line(x, _TOP, x, floor, "rule"))
        parts.append(text(x, floor + 18, format_si(mark * power, "s"), anchor="middle"))
    return "".join(parts)


def _legend() -> str:
    return (f'<rect class="run odd" x="{number(_LEFT)}" y="34" width="14" height="10"/>'
            + text(_LEFT + 19, 43, "layers, one after another")
            + f'<rect class="stall" x="{number(_LEFT + 190)}" y="34" width="14" height="10"/>'
            + text(_LEFT + 209, 43, "stalls, at the end of their layer")
            + text(_LEFT + 410, 43, "below: work of each unit, from the start of the layer"))
