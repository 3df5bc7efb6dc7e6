"""`hwsim validate`: published against modeled, one row per anchor."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from hwsim.commands.output import emit, emit_json, emit_table
from hwsim.errors import EXIT_INTERNAL, EXIT_OK

if TYPE_CHECKING:
    from hwsim.anchors import AnchorResult

_HEADS = ("Chip", "Anchor", "Published", "Modeled", "Error", "Known error", "Tolerance", "Status", "Verdict")
_SIGNS = {"at_most": "<= ", "at_least": ">= "}


def validate(chip: str | None, *, json: bool) -> int:
    """Print all anchors; the exit code is 1 if one is out of its tolerance."""
    from hwsim import anchors

    results = anchors.validate(chip)
    failed = [result for result in results if not result.passed]
    if json:
        emit_json({"passed": not failed, "anchors": [asdict(result) for result in results]})
    else:
        _print(results, failed)
    return EXIT_INTERNAL if failed else EXIT_OK


def _print(results: tuple[AnchorResult, ...], failed: list[AnchorResult]) -> None:
    emit_table(_HEADS, [_row(result) for result in results], right=_HEADS[2:7])
    for result in results:
        if result.reason:
            emit(f"{result.chip} {result.name}: {result.reason} [{result.source}]")
    counts = [f"{sum(result.status == status for result in results)} {status}"
              for status in ("predicted", "calibrated", "unconfirmed")]
    known = sum(bool(result.passed and result.known_error_ratio) for result in results)
    bounds = sum(result.comparison in _SIGNS for result in results)
    emit(f"{len(results)} anchors: {', '.join(counts)}; "
         f"{f'{bounds} of them only bounds; ' if bounds else ''}"
         f"{known} known deviation{'' if known == 1 else 's'}, {len(failed)} out of tolerance")


def _row(result: AnchorResult) -> tuple[str, ...]:
    known = result.known_error_ratio
    sign = _SIGNS.get(result.comparison, "")
    kept = "known deviation" if known else "within bound" if sign else "ok"
    verdict = kept if result.passed else "OUT OF TOLERANCE"
    return (result.chip, result.name, f"{sign}{result.published:.6g} {result.unit}".strip(),
            f"{result.modeled:.6g} {result.unit}".strip(), f"{result.error_ratio:+.1%}",
            f"{known:+.1%}" if known else "", f"{result.tolerance_ratio:.1%}", result.status, verdict)
