"""What the documents show is what happens: commands run, outputs agree, links lead somewhere."""

from __future__ import annotations

import re
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from tests.docs.blocks import DOCUMENTS, LANGUAGES, ROOT, blocks_of, commands_of, refreshed, with_peers

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "accelerators/*/README.md", "benchmarks/README.md")
    for path in ROOT.glob(pattern)
)


@pytest.mark.slow
@pytest.mark.parametrize("name", DOCUMENTS)
def test_outputs_are_real(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert refreshed(text).splitlines() == text.splitlines(), "run: make readme"


def test_readme_has_something_to_run() -> None:
    blocks = blocks_of((ROOT / "README.md").read_text(encoding="utf-8"))
    assert sum(len(commands_of(block.text)) for block in blocks if block.language == "console") >= 4
    assert any(block.language == "python" for block in blocks)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_blocks_say_what_they_are(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert text.count("\n```") == 2 * len(blocks_of(text))
    assert {block.language for block in blocks_of(text)} <= LANGUAGES


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = [link.split("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    assert [link for link in links if link and not (page.parent / link).exists()] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_paths_exist(name: str) -> None:
    """Whatever stands in backticks and looks like a file of ours is one."""
    text = re.sub(r"```.*?```", "", (ROOT / name).read_text(encoding="utf-8"), flags=re.DOTALL)
    named = re.findall(r"`((?:hwsim|accelerators|workloads|tests|benchmarks|docs)/[\w./]+)`", text)
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    texts = [(ROOT / name).read_text(encoding="utf-8") for name in DOCUMENTS]
    named = {
        target for text in texts for target in re.findall(r"(?:^|`|&& )make ([\w-]+)", text, re.MULTILINE)
    }
    assert {"demo", "test"} <= named
    assert {target for target in named if not re.search(rf"^{target}:", makefile, re.MULTILINE)} == set()


def test_readme_lists_every_chip_and_preset() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for chip, module in PROJECT["entry-points"]["hwsim.accelerators"].items():
        presets = import_module(module).ACCELERATOR.presets
        assert [name for name in (chip, *presets) if f"`{name}`" not in readme] == []


def test_every_dependency_is_justified() -> None:
    decisions = (ROOT / "docs/decisions.md").read_text(encoding="utf-8")
    extras = [line for lines in PROJECT["optional-dependencies"].values() for line in lines]
    names = {re.split(r"[<>=\[;]", line)[0] for line in (*PROJECT["dependencies"], *extras)}
    assert {name for name in names if f"**{name}**" not in decisions} == set()


def test_versions_agree() -> None:
    version = PROJECT["version"]
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.search(rf"^## \[{re.escape(version)}\]", changes, re.MULTILINE)
    assert "### Results changed" in changes
    assert re.search(rf'^version: "?{re.escape(version)}"?$', citation, re.MULTILINE)


def test_blocks_are_found_and_rewritten() -> None:
    document = "a\n```console\n$ echo one; echo two\nold\n```\n"
    document += "```python\nprint(1)\n```\n```text\n2\n```\n```sh\nx\n```\n"
    wanted = document.replace("old", "one\ntwo").replace("\n2\n", "\n1\n")
    assert refreshed(document) == wanted


@pytest.mark.parametrize("document", ["```console\n$ exit 3\n```\n", "```python\n1 / 0\n```\n"])
def test_failing_blocks_fail(document: str) -> None:
    with pytest.raises(RuntimeError, match=r"exit code 3|ZeroDivisionError"):
        refreshed(document)


def test_measurements_of_peers_are_written_into_their_place() -> None:
    row = {
        "peer": "p",
        "network": "n",
        "array": "8x8",
        "dataflow": "os",
        "peer_cycles": 1000,
        "hwsim_cycles": 900,
        "inside": {"peer_wall_s": 12.3, "hwsim_wall_s": 0.004, "least_ratio": 1234.5},
    }
    document = "a\n<!-- peers -->\nold\n<!-- end of peers -->\nb\n"
    written = with_peers(
        document, [row, {**row, "hwsim_cycles": None}, {**row, "inside": {"least_ratio": None}}]
    )
    assert "| p | n | 8x8 os | 1,000 | 900 | 12 s | 4 ms | 1,234x |\n<!-- end" in written
    assert written.count("| p |") == 1
    assert with_peers(document, []) == document.replace("old\n", "")
    assert with_peers((ROOT / "README.md").read_text(encoding="utf-8"), [row]).count("| p | n |") == 1
