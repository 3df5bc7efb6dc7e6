"""Command lines with strange values: knobs, axes, constraints, clamps, sizes, precisions, limits."""

from __future__ import annotations

import random
from collections.abc import Iterator

from hwsim.registry import accelerator_names, load_accelerator
from tests.hostile.mutations import TOKENS

NETWORKS = {
    "aqfp_bnn": "digits_mlp_bnn",
    "binary_lstm": "states.onnx",
    "dram_pim": "net.csv",
    "edge_fpga": "net.csv",
    "edge_gpu": "net.csv",
    "finn_bnn": "digits_mlp_bnn",
    "integral_sc": "digits_32",
    "invertible_logic": "multiplier_2x2",
    "min_sum_decoder": "hamming_7_4",
    "mst_bnn": "digits_mlp_bnn",
    "racetrack_memory": "uniform_accesses",
    "racetrack_pim": "net.csv",
    "reram_pim": "net.csv",
    "sparse_fc": "net.csv",
    "sparse_lstm": "states.onnx",
    "systolic": "net.csv",
}
AXES = [
    "8:16:4",
    "8:64:x2",
    "8:64:x1",
    "8:64:x1.0001",
    "64:8:8",
    "1:1e18:1",
    "0:10:0",
    "8:",
    ":8",
    ":::",
    "8,8",
    "all",
    "1e8:1e9",
    "-1:1:1",
    "nan:1:1",
    "1:inf:x2",
    "8:16:-4",
    "1,2,x",
    "os,ws",
    "[8,16]",
    "1:1000000:1",
]
EXPRESSIONS = [
    "array_rows <= 8",
    "array_rows",
    "1/0",
    "2**1000000",
    "array_rows ** 99999",
    "(" * 300 + "1" + ")" * 300,
    "not not not 1",
    "array_rows == 'x'",
    "__import__('os')",
    "[1][5]",
    "lambda: 1",
    "array_row > 1",
    "",
    "'a' * 10**9",
    "max()",
    "sqrt(-1)",
    "log2(0)",
    "1e308 * 10 < array_rows",
    "array_rows if",
    "min(1, 'a')",
    "10**400 > array_rows",
    "abs('x')",
    "array_rows % 0",
    "round(1e400)",
    "1 if array_rows else",
]
SIZES = [
    "0",
    "1",
    "-1",
    "16blocks",
    "1e3blocks",
    "64KiB",
    "64kB",
    "1e30GiB",
    "0.5 B",
    "nan",
    "1:2",
    "1KiB:1GiB:99999",
    "64KiB:1KiB",
    "1KiB:64KiB:0",
    "1KiB:64KiB",
    "9" * 50,
    "x",
]
PRECISIONS = [
    "int8",
    "int0",
    "int-1",
    "int999999",
    "int65",
    "float32",
    "float33",
    "binary",
    "ternary",
    "uint4",
    "",
    "INT8",
    "int8.5",
    "fixed",
    "x",
    "int\u0668",
]


def word_lists(rng: random.Random, count: int) -> Iterator[list[str]]:
    """Yield `count` command lines."""
    knobs = [
        (chip, knob) for chip in accelerator_names() for knob in load_accelerator(chip).design.model_fields
    ]
    for _ in range(count):
        yield _KINDS[rng.randrange(len(_KINDS))](rng, knobs)


Knobs = list[tuple[str, str]]


def _value(rng: random.Random) -> str:
    return rng.choice(
        [
            rng.choice(TOKENS),
            str(rng.randrange(-3, 70)),
            str(2 ** rng.randrange(64)),
            f"1e{rng.randrange(-40, 40)}",
        ]
    ).replace("\x00", "\x01")


def _set(rng: random.Random, knobs: Knobs) -> list[str]:
    chip, knob = rng.choice(knobs)
    words = ["run", NETWORKS[chip], "--on", chip, "--on-unsupported", "host", "-o", "{out}.json"]
    for name in {knob, rng.choice([k for c, k in knobs if c == chip])}:
        words += ["--set", f"{rng.choice([name, name, name, name.upper(), name[:-1]])}={_value(rng)}"]
    return words


def _axis(rng: random.Random, knobs: Knobs) -> list[str]:
    chip, knob = rng.choice([item for item in knobs if item[0] in ("systolic", "edge_gpu")])
    return [
        "sweep",
        "net.csv",
        "--on",
        chip,
        "--knob",
        f"{knob}={rng.choice([*AXES, _value(rng)])}",
        "--limit",
        "2",
        "--engine",
        "inprocess",
        *rng.choice([["--dry-run"], ["-o", "{out}.db", "-o", "{out}.csv"]]),
    ]


def _where(rng: random.Random, knobs: Knobs) -> list[str]:
    return [
        "sweep",
        "net.csv",
        "--on",
        "systolic",
        "--knob",
        "array_rows=8,16",
        "--where",
        rng.choice([*EXPRESSIONS, f"array_rows < {_value(rng)}"]),
        "--dry-run",
        "--sampling",
        rng.choice(["grid", "zip", "random", "latin_hypercube", "search"]),
        "--samples",
        "3",
    ]


def _clamp(rng: random.Random, knobs: Knobs) -> list[str]:
    words = ["run", "multiplier_2x2", "--on", "invertible_logic", "-o", "{out}.json"]
    for _ in range(rng.choice([1, 1, 2])):
        name = rng.choice(["P", "A", "B", "P[0]", "P[9]", "p", "P[-1]", "", "none", "A[0]"])
        words += [
            "--clamp",
            rng.choice([f"{name}={_value(rng)}", f"{name}={rng.randrange(-2, 20)}", name, "none"]),
        ]
    return words


def _sizes(rng: random.Random, knobs: Knobs) -> list[str]:
    option = rng.choice(["--batch", "--dim", "--precision"])
    value = rng.choice(PRECISIONS) if option == "--precision" else _value(rng)
    if option == "--dim":
        value = f"{rng.choice(['batch', 'sequence', '', 'x'])}={value}"
    network = rng.choice(["net.csv", "states.onnx", "mlp_mnist", "lenet5", "hamming_7_4", "multiplier_2x2"])
    return ["run", network, "--on", rng.choice(accelerator_names()), option, value, "-o", "{out}.json"]


def _scratchpad(rng: random.Random, knobs: Knobs) -> list[str]:
    words = [
        "schedule",
        rng.choice(["graph.json", "lenet5", "net.csv"]),
        "--solver",
        "none",
        "--time-limit",
        rng.choice(["1", "0", "-1", "nan", "1e-9"]),
        rng.choice(["--scratchpad", "--sweep"]),
        rng.choice(SIZES),
    ]
    if rng.random() < 0.4:
        words += [rng.choice(["--bits", "--block-bytes", "--batch", "--seed"]), _value(rng)]
    return words


def _life(rng: random.Random, knobs: Knobs) -> list[str]:
    return [
        "compare",
        "net.csv",
        "--on",
        "systolic,edge_gpu",
        "--service-life",
        rng.choice(["5y", "0y", "-1y", "1e300y", "5", "y", "nan y", "1e-30 s", _value(rng)]),
        "--activity",
        rng.choice(["0.5", "0", "1", "-1", "2", "nan", "1e-300"]),
    ]


_KINDS = [_set, _set, _set, _set, _axis, _where, _clamp, _sizes, _sizes, _scratchpad, _life]
