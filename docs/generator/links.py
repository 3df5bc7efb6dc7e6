"""Links of a page as it stands in the repository, led to where its target stands on the site."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping

_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
_CODE = re.compile(r"(^```.*?^```$|`[^`\n]+`)", re.MULTILINE | re.DOTALL)


def relinked(text: str, source: str, address: str, addresses: Mapping[str, str]) -> str:
    """Return the text of a page with its links led to the site.

    Links to files that are no page of the site become the path of the file, as code.

    Parameters
    ----------
    text : str
        Markdown.
    source, address : str
        Where the page stands in the repository and on the site.
    addresses : mapping of str to str
        Address on the site of everything that has one, by its path in the repository.
    """

    def led(found: re.Match[str]) -> str:
        picture, words, link = found.groups()
        if "://" in link or link.startswith(("#", "mailto:")):
            return found[0]
        path, mark, anchor = link.partition("#")
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
        if target not in addresses:
            return f"{words} (`{target}`)" if words != target else f"`{target}`"
        there = posixpath.relpath(addresses[target], posixpath.dirname(address) or ".")
        return f"{picture}[{words}]({there}{mark}{anchor})"

    parts = _CODE.split(text)
    return "".join(part if index % 2 else _LINK.sub(led, part) for index, part in enumerate(parts))
