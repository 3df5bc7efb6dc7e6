"""What all pictures share: palette, figures, axes in SI units, SVG without traces of the machine."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from hwsim.report.pictures.svg import printable
from hwsim.report.pictures.svg import short as cut

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette, told apart by colour-blind readers; black is left out for dark pages.
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#999999", "#F0E442")
INK = "#010203"
_STYLE: Any = {
    "svg.hashsalt": "hwsim", "svg.fonttype": "none", "font.family": ["DejaVu Sans"], "font.size": 9,
    "text.color": INK, "axes.edgecolor": INK, "axes.labelcolor": INK, "xtick.color": INK,
    "ytick.color": INK, "axes.facecolor": "none", "figure.facecolor": "none", "axes.spines.top": False,
    "axes.spines.right": False, "legend.frameon": False, "path.simplify": False,
}
_WIDTH_IN, _POINTS_PER_INCH = 11.0, 72.0
_SCREEN = ("<style>svg{color:#1b1f24;color-scheme:light dark}"
           "@media (prefers-color-scheme:dark){svg{color:#e4e7ec}}</style>")
_LONG_NUMBER = re.compile(r"\d+\.\d{3,}")

Tip = tuple[tuple[float, float, float, float], str]


@contextmanager
def styled() -> Iterator[None]:
    """Draw with our settings on matplotlib's defaults, whatever the user's matplotlibrc says."""
    import matplotlib

    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        yield


def new_figure(height_in: float, *, left: float = 0.8, right: float = 0.1, top: float = 0.1,
            bottom: float = 0.55) -> tuple[Figure, Axes]:
    """Return a figure of one plot; margins in inches, because measuring texts takes most of the time."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH_IN, height_in))
    axes = figure.add_axes((left / _WIDTH_IN, bottom / height_in, 1 - (left + right) / _WIDTH_IN,
                            1 - (top + bottom) / height_in))
    return figure, axes


def si_axis(axis: Any, unit: str) -> None:
    """Label an axis with SI prefixes; units other than J stand at the axis instead of at its numbers."""
    from matplotlib.ticker import EngFormatter

    axis.set_major_formatter(EngFormatter(unit=unit if unit == "J" else "", sep=" " if unit == "J" else ""))
    if unit != "J":
        axis.set_label_text(unit)


def legend(axes: Axes, **place: Any) -> None:
    """Draw a legend if there is anything to name."""
    if axes.get_legend_handles_labels()[0]:
        axes.legend(**place)


def short(name: str, length: int) -> str:
    """Cut the middle out of a long name, and keep matplotlib from reading ``$`` as mathematics."""
    return printable(cut(name, length)).replace("$", r"\$")


def to_points(axes: Axes, x: float, y: float) -> tuple[float, float]:
    """Convert data coordinates to points from the top left, which the SVG uses."""
    figure: Any = axes.figure
    across, up = axes.transData.transform((x, y)) * _POINTS_PER_INCH / figure.dpi
    return float(across), float(figure.get_figheight() * _POINTS_PER_INCH - up)


def finish(figure: Figure, title: str, tips: Sequence[Tip]) -> str:
    """Write the figure without date or ids of its own, inks bound to the page's text colour."""
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Type", "Format")))
    body = text.getvalue()
    body = body[body.index("<svg"):].replace(INK, "currentColor")
    body = re.sub(r"\s*<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r'="[^"]*\.\d{3}[^"]*"', lambda match: _LONG_NUMBER.sub(_rounded, match[0]), body)
    used = set(re.findall(r"#([\w-]+)", body))
    body = re.sub(r' id="([^"]*)"', lambda match: match[0] if match[1] in used else "", body)
    body = re.sub(r"<svg [^>]*?(viewBox=\"[^\"]*\")[^>]*>",
                  rf'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
                  rf'\1 role="img" aria-label="{escape(title)}">', body, count=1)
    overlay = "".join(
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}">'
        f"<title>{escape(printable(tip))}</title></rect>" for (x, y, width, height), tip in tips)
    return body.replace("</svg>", f'<g fill="currentColor" fill-opacity="0">{overlay}</g></svg>')


def standalone(svg: str) -> str:
    """Give a picture for a page a size and an ink of its own, which follows light and dark screens."""
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    size = f' width="{box[1]}" height="{box[2]}"' if box else ""
    return re.sub(r"<svg ([^>]*)>", rf"<svg \1{size}>{_SCREEN}", svg, count=1) + "\n"


def _rounded(match: re.Match[str]) -> str:
    return f"{float(match[0]):.2f}".rstrip("0").rstrip(".")
