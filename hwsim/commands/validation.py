"""`hwsim validate`: published against modeled, one table a chip, one row an anchor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import TYPE_CHECKING

from hwsim.commands.output import emit, emit_json, emit_table
from hwsim.errors import EXIT_INTERNAL, EXIT_OK
from hwsim.model.carbon.published import CARBON

if TYPE_CHECKING:
    from hwsim.anchors import AnchorResult

HEADS = ("Anchor", "Published", "Modeled", "Error", "Known error", "Tolerance", "Status", "Verdict", "Source")
NUMBERS = HEADS[1:6]
_SIGNS = {"at_most": "<= ", "at_least": ">= "}


def validate(chip: str | None, *, json: bool) -> int:
    """Print all anchors; the exit code is 1 if one is out of its tolerance."""
    from hwsim import anchors

    results = anchors.validate(chip)
    if json:
        emit_json({"passed": all(result.passed for result in results),
                   "anchors": [asdict(result) for result in results]})
    else:
        _print(results)
    return EXIT_OK if all(result.passed for result in results) else EXIT_INTERNAL


def _print(results: Sequence[AnchorResult]) -> None:
    groups = list(by_chip(results))
    for chip, members in groups:
        emit(f"{chip}, {_counted(members)}: {totals(members)}")
        emit_table(HEADS, [row_of(result) for result in members], right=NUMBERS)
        for result in members:
            if result.reason:
                emit(f"  {result.name}: {result.reason}")
        emit("")
    chips = f" of {_owners([chip for chip, _ in groups])}" if len(groups) > 1 else ""
    emit(f"{_counted(results)}{chips}: {totals(results)}")


def _owners(names: Sequence[str]) -> str:
    """Return how many chips there are; the carbon methods belong to none."""
    count = sum(name != CARBON for name in names)
    return f"{count} chips" + (" and the carbon methods" if count < len(names) else "")


def by_chip(results: Sequence[AnchorResult]) -> Iterator[tuple[str, list[AnchorResult]]]:
    """Yield every chip with its anchors, in the order in which they stand in its file."""
    for chip, members in groupby(sorted(results, key=lambda result: result.chip), lambda result: result.chip):
        yield chip, list(members)


def totals(results: Sequence[AnchorResult]) -> str:
    """Return how many anchors have which standing, in one line."""
    counts = [f"{sum(result.status == status for result in results)} {status}"
              for status in ("predicted", "calibrated", "unconfirmed")]
    known = sum(bool(result.passed and result.known_error_ratio) for result in results)
    bounds = sum(result.comparison in _SIGNS for result in results)
    failed = sum(not result.passed for result in results)
    return (f"{', '.join(counts)}; "
            f"{f'{bounds} of them only bounds; ' if bounds else ''}"
            f"{known} known deviation{'' if known == 1 else 's'}, {failed} out of tolerance")


def _counted(results: Sequence[AnchorResult]) -> str:
    return f"{len(results)} anchor{'' if len(results) == 1 else 's'}"


def row_of(result: AnchorResult) -> tuple[str, ...]:
    """Return an anchor as text, one cell for each of `HEADS`."""
    known = result.known_error_ratio
    sign = _SIGNS.get(result.comparison, "")
    kept = "known deviation" if known else "within bound" if sign else "ok"
    verdict = kept if result.passed else "OUT OF TOLERANCE"
    unit = result.unit.removeprefix("1")
    return (result.name, f"{sign}{result.published:.6g} {unit}".strip(),
            f"{result.modeled:.6g} {unit}".strip(), f"{result.error_ratio:+.1%}",
            f"{known:+.1%}" if known else "", f"{result.tolerance_ratio:.1%}", result.status, verdict,
            result.source)
