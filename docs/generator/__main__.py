"""Write the generated pages that are kept: `python -m docs.generator`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from docs.generator import matrix, validation

DOCS = Path(__file__).parents[1]
KEPT: dict[str, Callable[[], str]] = {"validation.md": validation.page, "matrix.md": matrix.page}


def main() -> None:
    """Write every kept page, and say which ones changed."""
    for name, page in KEPT.items():
        path, text = DOCS / name, page()
        same = path.is_file() and path.read_text(encoding="utf-8") == text
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"docs/{name}: {'as it was' if same else 'changed'}\n")


if __name__ == "__main__":
    main()
