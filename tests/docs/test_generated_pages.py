"""Generated pages that are kept are current, and those made for the site hold what they promise."""

from __future__ import annotations

import re

import pytest

from docs.generator import chips, commands, matrix, validation
from docs.generator.hooks import drawn
from docs.generator.links import relinked
from docs.generator.sketch import HEIGHT, WIDTH, joined, sketched, svg
from docs.generator.text import plain, table
from hwsim import registry
from tests.docs.blocks import ROOT

KEPT = (ROOT / "docs/matrix.md").read_text(encoding="utf-8")
NETWORKS = registry.workload_names()
SAMPLED = NETWORKS[:: max(1, len(NETWORKS) // 40)]


@pytest.mark.slow
def test_published_figures_are_current() -> None:
    kept = (ROOT / "docs/validation.md").read_text(encoding="utf-8")
    assert validation.page().splitlines() == kept.splitlines(), "run: make pages"


def test_matrix_has_every_pair() -> None:
    pairs = KEPT.partition("## Pairs\n")[2].partition("## Refusals")[0]
    heads, _, *rows = [line.strip("| ").split(" | ") for line in pairs.splitlines() if line]
    assert heads == ["Network", *registry.accelerator_names()], "run: make pages"
    assert [row[0].strip("`") for row in rows] == list(NETWORKS), "run: make pages"
    cells = {cell for row in rows for cell in row[1:]}
    known = re.compile(r"runs|runs, host|size|no|[<>]? ?\d+ %")
    assert {cell for cell in cells if not known.fullmatch(cell)} == set()


def test_every_refused_pair_has_a_reason() -> None:
    reasons = KEPT.partition("## Refusals\n")[2]
    sections = dict(re.findall(r"^### (\w+)\n\n(.*?)(?=^###|\Z)", reasons, re.MULTILINE | re.DOTALL))
    pairs = KEPT.partition("## Pairs\n")[2].partition("## Refusals")[0].splitlines()[3:]
    for line in filter(None, pairs):
        network, *cells = line.strip("| ").split(" | ")
        for chip, cell in zip(registry.accelerator_names(), cells, strict=True):
            assert (network in re.findall(r"`\w+`", sections[chip])) == (not cell.startswith("runs")), (
                network, chip)


@pytest.mark.slow
def test_matrix_is_current() -> None:
    """A sample of the networks on every chip: asked, and lowered where the chip says yes."""
    lines = set(KEPT.splitlines())
    for network, row in matrix.answers(SAMPLED).items():
        assert f"| {' | '.join(matrix.row_of(network, row))} |" in lines, f"{network}; run: make pages"
        for chip, answer in row.items():
            assert plain(answer.reason) in KEPT, (network, chip)


@pytest.mark.parametrize("name", registry.accelerator_names())
def test_page_of_a_chip_holds_its_knobs_and_constants(name: str) -> None:
    chip = registry.load_accelerator(name)
    text = chips.page(chip, [])
    assert [knob for knob in chip.design.model_fields if f"| `{knob}` |" not in text] == []
    assert [key for key in chip.constants.records if f"| `{key}` |" not in text] == []
    assert text.startswith(f"# {name}")


@pytest.mark.parametrize("name", commands.names())
def test_page_of_a_command_is_its_help(name: str) -> None:
    tour = f"```console\n$ hwsim {name} x | head\n```\n```sh\nhwsim other\n```\n"
    text = commands.page(name, {"tour.md": tour})
    assert f"Usage: hwsim {name}" in text
    assert f"- `hwsim {name} x | head` ([tour](../tour.md))\n" in text
    assert "hwsim other" not in text
    assert f"({name}.md)" in commands.index()


def test_links_are_led_to_the_site() -> None:
    addresses = {"docs/scheduling.md": "scheduling.md", "accelerators/a/README.md": "chips/a.md"}
    text = "[s](../../docs/scheduling.md#x) [f](design.py) [w](https://x.y) `[c](../z)` [h](#here)"
    assert relinked(text, "accelerators/a/README.md", "chips/a.md", addresses) == (
        "[s](../scheduling.md#x) f (`accelerators/a/design.py`) [w](https://x.y) `[c](../z)` [h](#here)"
    )
    assert relinked("[a](accelerators/a/README.md)", "README.md", "tour.md", addresses) == "[a](chips/a.md)"


def test_diagrams_stand_in_the_page_and_take_its_colours() -> None:
    shown = drawn("x\n\n![words](diagrams/data_flow.svg)\n")
    assert 'aria-label="words"' in shown
    assert "data-md-color-scheme" in shown
    assert "prefers-color-scheme: dark" in shown
    assert "\n\n" not in shown.partition("<figure")[2].partition("</figure>")[0]


def test_tables_escape_what_would_end_a_cell() -> None:
    assert table(("a", "b"), [("x|y", "1\n2")], right=("b",)) == "| a | b |\n| --- | --: |\n| x\\|y | 1 2 |\n"
    assert plain("a_b*<c>[`&") == "a\\_b\\*&lt;c>\\[\\`&amp;"


@pytest.mark.parametrize("name", registry.accelerator_names())
def test_page_of_a_chip_has_its_diagram_as_a_picture(name: str) -> None:
    text = (ROOT / "accelerators" / name / "README.md").read_text(encoding="utf-8")
    shown = sketched(text, name)
    assert f'aria-label="Diagram of {name}"' in shown.partition("## Modeled")[0]
    assert not set(shown) & set("─│┌┐└┘├┤┬┴┼►◄▲▼")
    kept = re.sub(r"<[^>]*>", " ", shown)
    assert set(re.findall(r"\w+", re.sub("[─-╿►◄▲▼]", " ", text))) - {"text"} <= set(re.findall(r"\w+", kept))


def test_a_box_of_characters_is_four_strokes_and_an_arrow_two() -> None:
    assert len(joined([(0, 0, 1, 0), (1, 0, 2, 0), (2, 0, 2, 1), (3, 0, 4, 0)])) == 3
    box = svg("┌──┐\n│ab├─►\n└──┘\n")
    path = re.search(r'<path d="([^"]*)"', box)
    assert path is not None
    assert path[1].count("M") == 5
    assert f"M{WIDTH / 2:g} {HEIGHT / 2:g}L{3.5 * WIDTH:g} {HEIGHT / 2:g}" in path[1]
    assert box.count("<polygon") == 1
    assert ">ab</text>" in box
    assert sketched("```\nno arrow\n```\n", "x") == "```\nno arrow\n```\n"
