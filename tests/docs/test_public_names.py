"""`help(hwsim)` reads well: every public name is explained, and nothing else is exported."""

from __future__ import annotations

import inspect
import pydoc
import re

import pytest

import hwsim


def test_names_are_listed_once_in_every_place() -> None:
    assert dir(hwsim) == sorted(hwsim.__all__) == sorted(set(hwsim.__all__))
    told = set(re.findall(r"`(\w+)`", hwsim.__doc__ or ""))
    assert told == set(hwsim.__all__)


@pytest.mark.parametrize("name", hwsim.__all__)
def test_every_public_name_explains_itself(name: str) -> None:
    found = getattr(hwsim, name)
    text = inspect.getdoc(found) or ""
    assert text.partition("\n")[0].endswith(".")
    if inspect.isfunction(found) and len(inspect.signature(found).parameters) > 1:
        assert "Parameters\n---" in text or "see `" in text


def test_help_shows_what_there_is() -> None:
    text = pydoc.plain(pydoc.render_doc(hwsim))
    assert [name for name in hwsim.__all__ if not re.search(rf"\b{name}\b", text)] == []
    assert "Cycles, time, energy, area and carbon" in text


def test_the_version_is_that_of_the_package() -> None:
    from importlib.metadata import version

    assert hwsim.__version__ == version("hwsim")
