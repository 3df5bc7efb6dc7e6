"""Sensitivity as a picture: one bar per knob, from where it puts a metric lowest to where highest."""

from __future__ import annotations

import math
from collections.abc import Sequence

from hwsim.report.pictures.svg import attribute, frame, line, number, short, text
from hwsim.report.sensitivity import Effect

_WIDTH, _LEFT, _RIGHT, _TOP, _ROW, _BOTTOM = 860.0, 150.0, 24.0, 66.0, 30.0, 46.0
_STYLE = (".better{fill:#0072B2}.worse{fill:#E69F00}.middle{stroke:currentColor;stroke-opacity:.7}"
          ".loose{fill-opacity:.45}")
_LETTER, _MOST_BARS, _INSIDE = 6.2, 24, 8.0
_NO_EFFECT = 1e-9
_LEAST_SPAN = math.log(1.02)


def tornado_svg(effects: Sequence[Effect], metric: str, maximise: bool) -> str:
    """Draw effects of knobs on a metric as ratios to its mean; equal effects give equal bytes.

    Parameters
    ----------
    effects : sequence of Effect
        Largest first; at most 24 are drawn.
    metric : str
        Which metric.
    maximise : bool
        Whether more of it is better, which colours the ends.
    """
    drawn = effects[:_MOST_BARS]
    height = _TOP + _ROW * max(len(drawn), 1) + _BOTTOM
    span = max([_LEAST_SPAN] + [abs(math.log(r)) for e in drawn for r in (e.low_ratio, e.high_ratio)])
    scale = _Scale(span)
    title = f"What moves {metric}"
    body = [text(_LEFT, 20, title, extra='class="head"'), _legend(maximise, effects),
            _axis(scale, height - _BOTTOM)]
    for row, effect in enumerate(drawn):
        body.append(_bar(effect, _TOP + _ROW * row, scale, maximise))
    body.append(line(scale.at(1.0), _TOP - 6, scale.at(1.0), height - _BOTTOM, "middle"))
    missing = len(effects) - len(drawn)
    left_out = f"; {missing} knobs with less are left out" if missing else ""
    caption = f"{metric} over its mean{left_out}" if effects else "no knob varies"
    body.append(text((_LEFT + _WIDTH - _RIGHT) / 2, height - 8, caption, anchor="middle"))
    return frame(_WIDTH, height, title, _STYLE, "".join(body))


class _Scale:
    """Ratios to points of the picture, by equal ratios, with room for labels at both ends."""

    def __init__(self, span: float) -> None:
        self.span = span
        self.middle = (_LEFT + _WIDTH - _RIGHT) / 2
        self.reach = (_WIDTH - _RIGHT - _LEFT) / 2 - 120

    def at(self, ratio: float) -> float:
        return self.middle + self.reach * math.log(ratio) / self.span

    def marks(self) -> list[float]:
        """Return about seven round ratios, some below and some above one."""
        most = math.exp(self.span)
        if most > 4:
            step = max(1, math.ceil(math.log2(most) / 4))
            ups = [2.0 ** (step * power) for power in range(1, 40) if 2.0 ** (step * power) <= most * 1.01]
            return [1 / up for up in reversed(ups)] + [1.0, *ups]
        share = next(s for s in (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0) if most - 1 <= 4 * s)
        steps = [share * at for at in range(1, 5) if share * at <= (most - 1) * 1.01]
        downs = [1 - s for s in reversed(steps) if s < 1 and -math.log(1 - s) <= self.span * 1.15]
        return [*downs, 1.0, *(1 + s for s in steps)]


def _axis(scale: _Scale, floor: float) -> str:
    parts = []
    for mark in scale.marks():
        x = scale.at(mark)
        parts.append(line(x, _TOP - 6, x, floor, "rule"))
        parts.append(text(x, floor + 16, f"x{mark:.3g}", anchor="middle"))
    return "".join(parts)


def _bar(effect: Effect, top: float, scale: _Scale, maximise: bool) -> str:
    y, tall = top + 5, _ROW - 10
    kinds = ("worse", "better") if maximise else ("better", "worse")
    loose = "" if effect.matched else " loose"
    parts = [text(_LEFT - 6 - _INSIDE, y + tall / 2 + 4, short(effect.knob, 22), anchor="end")]
    ends = ((effect.low_ratio, effect.low_label, kinds[0], "end"),
            (effect.high_ratio, effect.high_label, kinds[1], "start"))
    if abs(math.log(effect.high_ratio / effect.low_ratio)) < _NO_EFFECT:
        return parts[0] + text(scale.at(1.0) + 5, y + tall / 2 + 4, "no effect")
    for ratio, label, kind, anchor in ends:
        x, middle = scale.at(ratio), scale.at(1.0)
        told = f"{effect.knob} = {label}: x{ratio:.4g}"
        parts.append(f'<rect class="{kind}{loose}" x="{number(min(x, middle))}" y="{number(y)}" '
                     f'width="{number(abs(x - middle))}" height="{number(tall)}">'
                     f"<title>{attribute(told)[1:-1]}</title></rect>")
        parts.append(text(x + (-5 if anchor == "end" else 5), y + tall / 2 + 4, short(label, 19),
                          anchor=anchor))
    return "".join(parts)


def _legend(maximise: bool, effects: Sequence[Effect]) -> str:
    words = [("better", "", "more" if maximise else "less"), ("worse", "", "less" if maximise else "more")]
    texts = [(kind, extra, f"{word}, which is {kind}") for kind, extra, word in words]
    if any(not effect.matched for effect in effects):
        texts.append(("better", " loose", "pale: other knobs move along"))
    parts, x = [], _LEFT
    for kind, extra, told in texts:
        parts.append(f'<rect class="{kind}{extra}" x="{number(x)}" y="34" width="14" height="10"/>')
        parts.append(text(x + 19, 43, told))
        x += 42 + _LETTER * len(told)
    return "".join(parts)
