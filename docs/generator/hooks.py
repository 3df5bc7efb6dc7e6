"""What mkdocs asks while it builds: pages that are generated, their place in the menu, links, diagrams.

Generated pages exist while the site is built and are kept nowhere.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from docs.generator import chips, commands
from docs.generator.links import relinked
from docs.generator.sketch import sketched
from hwsim import registry
from hwsim.anchors import validate
from hwsim.commands.validation import by_chip

ROOT = Path(__file__).parents[2]
COPIED = {"tour.md": "README.md", "changelog.md": "CHANGELOG.md", "benchmarks.md": "benchmarks/README.md"}
_FIGURE = re.compile(r"!\[([^\]]*)\]\((?:\.\./)*(diagrams/[\w.-]+\.svg)\)")


@cache
def generated() -> dict[str, tuple[str, str]]:
    """Return every generated page by its address: where its text stands in the repository, and the text."""
    results = validate()
    standing = dict(by_chip(results))
    pages = {address: (source, _text(source)) for address, source in COPIED.items()}
    pages["chips/index.md"] = ("docs/chips/index.md", chips.index())
    pages["commands/index.md"] = ("docs/commands/index.md", commands.index())
    for name in registry.accelerator_names():
        text = chips.page(registry.load_accelerator(name), standing.get(name, []))
        pages[f"chips/{name}.md"] = (f"accelerators/{name}/README.md", text)
    written = {path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").glob("*.md"))}
    written = {"tour.md": pages["tour.md"][1]} | written
    for name in commands.names():
        pages[f"commands/{name}.md"] = (f"docs/commands/{name}.md", commands.page(name, written))
    return pages


def _text(source: str) -> str:
    return (ROOT / source).read_text(encoding="utf-8")


@cache
def addresses() -> dict[str, str]:
    """Return the address on the site of every page and picture, by its path in the repository."""
    found = {source: address for address, (source, _) in generated().items()}
    found |= {f"docs/{address}": address for address in generated()}
    for path in (ROOT / "docs").rglob("*"):
        if path.suffix in (".md", ".svg", ".css"):
            found[path.relative_to(ROOT).as_posix()] = path.relative_to(ROOT / "docs").as_posix()
    return found


def on_config(config: Any) -> Any:
    """Put the generated pages into the menu, and below "Depth" whatever page stands nowhere."""
    places = {title: entries for item in config["nav"] for title, entries in item.items()}
    places["Chips"] += [{name: f"chips/{name}.md"} for name in registry.accelerator_names()]
    places["Commands"] += [{name: f"commands/{name}.md"} for name in commands.names()]
    named = set(_pages(config["nav"]))
    others = sorted(path.name for path in (ROOT / "docs").glob("*.md") if path.name not in named)
    places["Depth"] += others
    return config


def _pages(entry: Any) -> list[str]:
    if isinstance(entry, str):
        return [entry]
    parts = entry.values() if isinstance(entry, dict) else entry
    return [name for part in parts for name in _pages(part)]


def on_files(files: Any, config: Any) -> Any:
    """Add the generated pages."""
    from mkdocs.structure.files import File

    for address, (_, text) in generated().items():
        files.append(File.generated(config, address, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Lead links to the site, draw diagrams in the colours of the page."""
    address = page.file.src_uri
    source = generated()[address][0] if address in generated() else f"docs/{address}"
    text = drawn(relinked(markdown, source, address, addresses()))
    return sketched(text, Path(address).stem) if address.startswith("chips/") else text


def drawn(markdown: str) -> str:
    """Return the text with its diagrams inside, so that they take the colours of the page."""

    def inside(found: re.Match[str]) -> str:
        svg = (ROOT / "docs" / found[2]).read_text(encoding="utf-8")
        svg = "".join(line.strip() + " " for line in svg.splitlines() if not line.startswith("<?xml"))
        return f'<figure class="diagram" role="img" aria-label="{found[1]}">{svg}</figure>'

    return _FIGURE.sub(inside, markdown)
