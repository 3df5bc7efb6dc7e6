"""The sound files with the damage done to them and the commands that read them."""

from __future__ import annotations

import json

from tests.hostile.mutations import damaged_archive, damaged_bytes, damaged_json, damaged_lines, damaged_toml
from tests.hostile.onnx_changes import damaged_model
from tests.hostile.specimens import (
    ALIST,
    CHANNEL,
    COMPARISON,
    CONVOLUTION,
    GEMM,
    GRAPH,
    NETLIST,
    PLACES,
    ROOT,
    SCENARIO,
    SEARCH,
    SPARSE,
    SWEEP,
    Specimen,
    Words,
    both_reports_file,
    masks_file,
    onnx_file,
    plan_file,
    report_file,
    results_file,
    samples_file,
    text_file,
)


def _run(network: str, chip: str, *more: str) -> Words:
    return ("run", network, "--on", chip, *more)


def _functional(network: str, chip: str) -> Words:
    return _run(network, chip, "--on-unsupported", "host", "--functional", "{}", "-o", "{out}.json")


LAYERED = tuple(
    _run("{}", chip, "-o", "{out}.json")
    for chip in ("systolic", "edge_gpu", "dram_pim", "reram_pim", "sparse_fc", "finn_bnn", "aqfp_bnn")
)
MODELS = (
    _run("{}", "systolic", "-o", "{out}.json"),
    _run("{}", "edge_gpu", "--dim", "batch=2"),
    _run("{}", "systolic", "--on-unsupported", "traffic", "--batch", "3"),
    (
        "schedule",
        "{}",
        "--scratchpad",
        "4KiB",
        "--solver",
        "none",
        "--time-limit",
        "1",
        "-o",
        "{out}.svg",
    ),
)
SPECIMENS: tuple[Specimen, ...] = (
    Specimen("onnx", "tiny.onnx", onnx_file, damaged_model, MODELS),
    Specimen("csv", "gemm.csv", text_file(GEMM), damaged_lines, LAYERED),
    Specimen("csv", "convolution.csv", text_file(CONVOLUTION), damaged_lines, LAYERED),
    Specimen("csv", "sparse.csv", text_file(SPARSE), damaged_lines, LAYERED),
    Specimen(
        "netlist",
        "add.net",
        text_file(NETLIST),
        damaged_lines,
        (
            _run("{}", "invertible_logic", "-o", "{out}.json"),
            _run("{}", "invertible_logic", "--clamp", "none"),
            _run("{}", "dram_pim"),
        ),
    ),
    Specimen("netlist", "add.blif", text_file(NETLIST), damaged_lines, (_run("{}", "invertible_logic"),)),
    Specimen(
        "alist",
        "hamming.alist",
        text_file(ALIST),
        damaged_lines,
        (
            _run("{}", "min_sum_decoder", "-o", "{out}.json"),
            _run("{}", "min_sum_decoder", "--batch", "2"),
        ),
    ),
    Specimen(
        "trace",
        "names.memtrace",
        text_file((ROOT / "tests/data/traces/vectors.memtrace").read_text()),
        damaged_lines,
        (_run("{}", "racetrack_memory", "-o", "{out}.json"),),
    ),
    Specimen(
        "trace",
        "places.memtrace",
        text_file(PLACES),
        damaged_lines,
        (
            _run("{}", "racetrack_memory", "-o", "{out}.csv"),
            _run("{}", "racetrack_memory", "--set", "placement=arrangement"),
        ),
    ),
    Specimen(
        "schedule graph",
        "graph.json",
        text_file(json.dumps(GRAPH)),
        damaged_json,
        (
            (
                "schedule",
                "{}",
                "--scratchpad",
                "16blocks",
                "--solver",
                "none",
                "--time-limit",
                "1",
                "-o",
                "{out}.json",
            ),
            ("schedule", "{}", "--sweep", "14blocks:20blocks:2", "--solver", "none", "--time-limit", "1"),
        ),
    ),
    Specimen("plan", "plan.json", plan_file, damaged_json, (("schedule", "graph.json", "--verify", "{}"),)),
    Specimen(
        "report",
        "report.json",
        report_file,
        damaged_json,
        (
            ("explain", "{}"),
            ("compare", "{}", "-o", "{out}.html"),
            ("explain", "{}", "--json"),
            ("compare", "{}", "--timeline", "{out}.json"),
        ),
    ),
    Specimen(
        "report",
        "reports.json",
        both_reports_file,
        damaged_json,
        (("compare", "{}", "-o", "{out}.csv"), ("explain", "{}")),
    ),
    Specimen(
        "sweep",
        "sweep.toml",
        text_file(SWEEP),
        damaged_toml,
        (
            ("sweep", "{}", "--dry-run"),
            ("sweep", "{}", "--engine", "inprocess", "--limit", "2", "-o", "{out}.db", "-o", "{out}.csv"),
        ),
    ),
    Specimen(
        "sweep",
        "search.toml",
        text_file(SWEEP.replace('"random"\nsamples = 3', '"search"') + SEARCH),
        damaged_toml,
        (("sweep", "{}", "--engine", "inprocess", "-o", "{out}.db", "--limit", "2"),),
    ),
    Specimen(
        "comparison",
        "comparison.toml",
        text_file(COMPARISON),
        damaged_toml,
        (("compare", "{}", "-o", "{out}.json", "--summary", "{out}.csv"),),
    ),
    Specimen(
        "scenario",
        "scenario.toml",
        text_file(SCENARIO),
        damaged_toml,
        (
            (
                "compare",
                "net.csv",
                "--on",
                "systolic,edge_gpu",
                "--service-life",
                "5y",
                "--scenario",
                "{}",
                "-o",
                "{out}.html",
            ),
        ),
    ),
    Specimen(
        "functional settings",
        "channel.toml",
        text_file(CHANNEL),
        damaged_toml,
        (
            _run("hamming_7_4", "min_sum_decoder", "--functional", "{}"),
            _run("bch_15_11", "min_sum_decoder", "--functional", "{}"),
        ),
    ),
    Specimen(
        "functional settings",
        "offset.toml",
        text_file(CHANNEL + "offsets = 0.5\n"),
        damaged_toml,
        (_run("hamming_7_4", "min_sum_decoder:offset_min_sum", "--functional", "{}"),),
    ),
    Specimen(
        "functional samples",
        "digits.npz",
        samples_file("digits/digits_32.npz", 4),
        damaged_archive,
        (
            _functional("digits_32", "integral_sc"),
            _functional("digits_32", "integral_sc:binary_radix_65nm"),
        ),
    ),
    Specimen(
        "functional samples",
        "relu.npz",
        samples_file("digits/digits_relu_32.npz", 4),
        damaged_archive,
        (_functional("digits_relu_32", "dram_pim"),),
    ),
    Specimen(
        "functional samples",
        "binary.npz",
        samples_file("binary/digits_mlp_bnn.npz", 4),
        damaged_archive,
        (
            _functional("digits_mlp_bnn", "finn_bnn"),
            _functional("digits_mlp_bnn", "aqfp_bnn:illustrative"),
            _functional("digits_mlp_bnn", "mst_bnn"),
        ),
    ),
    Specimen(
        "masks",
        "masks.npz",
        masks_file,
        damaged_archive,
        (_run("states.onnx", "sparse_lstm", "--set", "state_masks={}", "-o", "{out}.json"),),
    ),
    Specimen(
        "results",
        "results.db",
        results_file,
        damaged_bytes,
        (
            ("pareto", "{}", "-o", "{out}.svg"),
            (
                "sweep",
                "net.csv",
                "--on",
                "systolic",
                "--knob",
                "array_rows=8,16,32",
                "--engine",
                "inprocess",
                "-o",
                "{}",
                "-o",
                "{out}.csv",
            ),
            ("pareto", "{}", "--json", "--objectives", "energy_j,max:utilization"),
        ),
    ),
)
