"""What making and running chips takes, drawn over the years and over the activity ratio."""

from __future__ import annotations

import numpy as np

from hwsim.report.pictures.drawing import INK, PALETTE, finish, legend, new_figure, short, styled
from hwsim.report.service import Floats, Sustainability
from hwsim.report.service_table import YEAR_S, format_duration

_POINTS = 101
_LINES = ("-", "--", "-.", ":")
_NAMES = {"energy": ("MJ", 1e-6, "energy"), "carbon": ("kgCO2e", 1.0, "carbon")}


def figures(service: Sustainability) -> list[dict[str, str]]:
    """Return the pictures as title, SVG and text, energy before carbon."""
    found = []
    for quantity in ("energy", "carbon"):
        method = _first_method(service, quantity)
        if method is None:
            continue
        years = np.linspace(0.0, 2 * service.service_life_s, _POINTS)
        activity = np.linspace(0.0, 1.0, _POINTS)
        over_years = service.totals(method, quantity, years, np.array([service.activity]))[:, 0, :]
        life = np.array([service.service_life_s])
        over_activity = service.totals(method, quantity, life, activity)[:, :, 0]
        text = (f"Embodied by {method}; scenario {service.scenario.label!r}. Where a line starts is what "
                "making the chip took; where two lines cross, the totals are equal.")
        word = _NAMES[quantity][2]
        found += [{"title": f"Total {word} over the years, activity {service.activity:g}", "text": text,
                   "svg": _curves(service, years / YEAR_S, over_years, "years in service", quantity,
                                  service.service_life_s / YEAR_S)},
                  {"title": f"Total {word} after {format_duration(service.service_life_s)}", "text": text,
                   "svg": _curves(service, activity, over_activity, "activity ratio", quantity,
                                  service.activity)}]
    return found


def _first_method(service: Sustainability, quantity: str) -> str | None:
    """Return the first method that knows every chip, None if there is none."""
    for method in service.scenario.methods:
        if not np.isnan(service.embodied(method, quantity)).any():
            return method
    return None


def _curves(service: Sustainability, x: Floats, y: Floats, label: str, quantity: str, mark: float) -> str:
    unit, factor, word = _NAMES[quantity]
    with styled():
        figure, axes = new_figure(3.8, right=2.6)
        for index, chip in enumerate(service.chips):
            axes.plot(x, y[index] * factor, color=PALETTE[index % len(PALETTE)], linewidth=1.8,
                      linestyle=_LINES[index // len(PALETTE) % len(_LINES)], label=short(chip.name, 30))
        axes.axvline(mark, color=INK, alpha=0.4, linewidth=0.8, linestyle=":")
        axes.set(xlabel=label, ylabel=f"total {word} ({unit})", xlim=(float(x[0]), float(x[-1])))
        axes.set_ylim(bottom=0.0)
        axes.grid(True, color=INK, alpha=0.15, linewidth=0.5)
        legend(axes, loc="center left", bbox_to_anchor=(1.0, 0.5))
        return finish(figure, f"Total {word} over {label}", ())
