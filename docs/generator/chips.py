"""One page per chip: its README, its knobs, its constants with their sources, its published figures."""

from __future__ import annotations

from docs.generator.text import code, plain, table
from docs.generator.validation import anchors_table
from hwsim import registry
from hwsim.anchors import AnchorResult
from hwsim.commands.catalogue import constant_rows, knob_rows, shown
from hwsim.model.types import Accelerator


def page(accelerator: Accelerator, anchors: list[AnchorResult]) -> str:
    """Return the page of a chip.

    Parameters
    ----------
    accelerator : Accelerator
        The chip.
    anchors : list of AnchorResult
        Its published figures beside modeled ones.
    """
    readme = (accelerator.folder / "README.md").read_text(encoding="utf-8").rstrip()
    return "\n".join([readme, "", _knobs(accelerator), _presets(accelerator), _constants(accelerator),
                      "## Published figures\n", anchors_table(anchors)])


def index() -> str:
    """Return the page that lists all chips."""
    rows = []
    for name in registry.accelerator_names():
        chip = registry.load_accelerator(name)
        rows.append((f"[{name}]({name}.md)", ", ".join(map(code, chip.presets)), plain(chip.summary)))
    return "# Chips\n\n" + table(("Chip", "Presets", "What it is"), rows) + (
        "\nWhat each of them makes of the built-in networks: [the matrix](../matrix.md). How one is made: "
        "[add a chip in an afternoon](../add_a_chip.md).\n")


def _knobs(accelerator: Accelerator) -> str:
    rows = [(code(row["name"]), row["unit"], plain(row["range"]), code(shown(row["default"], row["unit"])),
             plain(row["description"])) for row in knob_rows(accelerator)]
    said = "## Knobs\n\nChange one with `--set KNOB=VALUE`; defaults are those of the first preset.\n\n"
    return said + table(("Knob", "Unit", "Range", "Default", "Meaning"), rows)


def _presets(accelerator: Accelerator) -> str:
    values = {name: design.model_dump(mode="json") for name, design in accelerator.presets.items()}
    rows = []
    for row in knob_rows(accelerator):
        cells = [shown(preset.get(row["name"], ""), row["unit"]) for preset in values.values()]
        if len(set(cells)) > 1:
            rows.append((code(row["name"]), *map(code, cells)))
    if not rows:
        return ""
    return (f"## Presets side by side\n\nWhere they differ; write `{accelerator.name}:PRESET`.\n\n"
            + table(("Knob", *map(code, values)), rows, right=tuple(map(code, values))))


def _constants(accelerator: Accelerator) -> str:
    rows = []
    for row in constant_rows(accelerator):
        address = row["doi"] if "://" in row["doi"] else f"https://doi.org/{row['doi']}" if row["doi"] else ""
        title = f"[{plain(row['title'])}]({address})" if address else plain(row["title"])
        note = f" ({plain(row['note'])})" if row["note"] else ""
        rows.append((code(row["name"]), plain(row["value"]), row["kind"], plain(row["where"]) + note, title))
    return "## Constants\n\n" + table(("Constant", "Value", "Evidence", "Where", "Source"), rows)
