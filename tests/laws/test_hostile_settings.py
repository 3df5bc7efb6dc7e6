"""Hostile words on the command line: every answer is a result or a worded refusal, never a traceback."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from hwsim.__main__ import main
from hwsim.registry import accelerator_names, load_accelerator
from tests.examples import examples

KNOBS = [(chip, knob) for chip in accelerator_names() for knob in load_accelerator(chip).design.model_fields]
NASTY = st.one_of(
    st.integers(-5, 70),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=True, allow_infinity=True).map(repr),
    st.sampled_from(
        [
            "",
            "null",
            "true",
            "[]",
            "{}",
            "1e400",
            "-0",
            "0x10",
            "1_000",
            "12 kB",
            "64KiB",
            "700MHz",
            "nan",
            "best",
            "Best",
            "os",
            "ws",
            "\u00e9",
            "a=b",
            "'",
            '"',
            "\\",
            "../..",
            "%s",
            "1e-30",
        ]
    ),
    st.text(max_size=8),
)
NETWORK = "Layer, M, N, K,\nfc1, 7, 33, 20,\nfc2, 300, 5, 64,\n"


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("net") / "net.csv"
    path.write_text(NETWORK)
    return path


def answer(capsys: pytest.CaptureFixture[str], words: list[str]) -> tuple[int, str]:
    code = main(words)
    shown = capsys.readouterr()
    assert code in (0, 2, 3), (words, shown.err)
    assert "bug in hwsim" not in shown.err
    assert "Traceback" not in shown.err
    if code:
        assert shown.err.startswith("hwsim: "), (words, shown.err)
        assert shown.out == ""
    return code, shown.out


CHOICES = st.lists(st.tuples(st.sampled_from(KNOBS), NASTY), min_size=1, max_size=3)


def set_knobs(capsys: pytest.CaptureFixture[str], network: str, chosen: list) -> dict | None:
    """Run `network` with the knobs of the first chip set; return the totals, None when it was refused."""
    words = ["run", network, "--on", chosen[0][0][0], "--json"]
    for (_, knob), value in chosen:
        words += ["--set", f"{knob}={value}"]
    code, out = answer(capsys, words)
    if code != 0:
        return None
    totals: dict = json.loads(out)["totals"]
    assert 0 <= totals["utilization"] <= 1 + 1e-9
    assert math.isfinite(totals["energy_j"])
    return totals


@examples(400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CHOICES)
def test_knobs(capsys: pytest.CaptureFixture[str], network: Path, chosen: list) -> None:
    totals = set_knobs(capsys, str(network), chosen)
    assert totals is None or totals["macs"] == 7 * 33 * 20 + 300 * 5 * 64


SIZES = st.one_of(st.integers(0, 64).map(lambda power: 2**power), st.integers(-64, 64).map(lambda p: 10.0**p),
                  NASTY)


@examples(40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(KNOBS), SIZES), min_size=1, max_size=2))
def test_knobs_on_a_large_network(capsys: pytest.CaptureFixture[str], chosen: list) -> None:
    totals = set_knobs(capsys, "vgg16", chosen)
    assert totals is None or totals["macs"] == 15_470_264_320


@pytest.mark.parametrize("network", ["resnet50", "vgg16"])
@pytest.mark.parametrize("knob", [knob for knob in KNOBS if knob[1].endswith(("_hz", "_per_s", "_bits"))
                                  or "bytes" in knob[1]])
@pytest.mark.parametrize("value", ["1e-6", "1e-3", "1", "1e30"])
def test_slow_and_huge_knobs_on_large_networks(capsys: pytest.CaptureFixture[str], network: str,
                                               knob: tuple[str, str], value: str) -> None:
    set_knobs(capsys, network, [(knob, value)])


@pytest.mark.slow
@examples(300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["run", "compare", "list", "show", "explain", "validate", "schema", "schedule"]),
    st.lists(
        st.one_of(
            st.sampled_from(
                [
                    "--on",
                    "systolic",
                    "systolic:",
                    ":",
                    ",",
                    "--set",
                    "--dim",
                    "--batch",
                    "-o",
                    "--json",
                    "mlp_mnist",
                    "report",
                    "design",
                    "--precision",
                    "int8",
                    "--layer",
                    "--unit",
                    "--top",
                    "-1",
                    "x.json",
                    "x.html",
                    "/",
                    ".",
                    "--scratchpad",
                    "64KiB",
                    "64kB",
                    "chips",
                ]
            ),
            st.text(max_size=6),
        ),
        max_size=6,
    ),
)
def test_words(
    capsys: pytest.CaptureFixture[str],
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    words: list[str],
) -> None:
    monkeypatch.chdir(tmp_path_factory.getbasetemp())
    code = main([command, *words])
    shown = capsys.readouterr()
    assert code in (0, 2, 3, 5), (command, words, shown.err)
    assert "bug in hwsim" not in shown.err
