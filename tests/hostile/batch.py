"""A process of its own, short of memory, that tries many damaged files: ``python -m tests.hostile.batch``."""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import sys
import tempfile
import warnings
from pathlib import Path

from tests.hostile.catalogue import SPECIMENS
from tests.hostile.judge import Answer, judge
from tests.hostile.specimens import Specimen, write_companions
from tests.hostile.words import word_lists

GIB = 1 << 30


def allow(extra_bytes: int) -> None:
    """Let this process allocate so much more than it holds now, touched or not."""
    pages = int(Path("/proc/self/statm").read_text().split()[5])
    most = pages * os.sysconf("SC_PAGE_SIZE") + extra_bytes
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def warm(specimen: Specimen) -> bytes:
    """Run every command on the sound file, so that kernels are compiled; return the file."""
    content = specimen.make()
    for command in specimen.commands:
        Path(specimen.file).write_bytes(content)
        answer = judge([word.replace("{}", specimen.file) for word in command], limit_s=300)
        assert answer.code in (0, 3), (command, answer)
        assert not answer.complaints, (command, answer)
    return content


def try_files(
    specimen: Specimen, content: bytes, seed: int, count: int
) -> tuple[int, list[dict[str, object]]]:
    """Damage the file `count` times; return how often it was accepted, and every wrong answer."""
    accepted, found = 0, []
    for index in range(count):
        rng = random.Random(f"{specimen.file} {seed} {index}")
        damaged = specimen.damage(content, rng)
        Path(specimen.file).write_bytes(damaged)
        words = [
            word.replace("{}", specimen.file) for word in specimen.commands[index % len(specimen.commands)]
        ]
        answer = judge(words)
        accepted += answer.code == 0
        if answer.complaints:
            found.append(_told(f"{specimen.file} {seed} {index}", words, answer, damaged))
        for left in Path().glob(f"{specimen.file}?*"):
            left.unlink()
    return accepted, found


def try_words(seed: int, count: int) -> tuple[int, list[dict[str, object]]]:
    """Try `count` command lines of strange words."""
    accepted, found = 0, []
    for index, words in enumerate(word_lists(random.Random(f"words {seed}"), count)):
        answer = judge(words)
        accepted += answer.code == 0
        if answer.complaints:
            found.append(_told(f"words {seed} {index}", words, answer, b""))
    return accepted, found


def _told(name: str, words: list[str], answer: Answer, damaged: bytes) -> dict[str, object]:
    return {
        "name": name,
        "words": words,
        "code": answer.code,
        "complaints": answer.complaints,
        "err": answer.err[-1500:],
        "damaged": damaged[:20000].hex(),
    }


def run(formats: set[str], seed: int, count: int) -> dict[str, object]:
    """Try `count` inputs of every format named; return counts, wrong answers and the most memory held."""
    warnings.simplefilter("default")
    counts: dict[str, list[int]] = {}
    found: list[dict[str, object]] = []
    write_companions()
    chosen = [specimen for specimen in SPECIMENS if specimen.format in formats]
    contents = [warm(specimen) for specimen in chosen]
    allow(GIB)
    for specimen, content in zip(chosen, contents, strict=True):
        alike = sum(other.format == specimen.format for other in chosen)
        accepted, wrong = try_files(specimen, content, seed, -(-count // alike))
        tried = counts.setdefault(specimen.format, [0, 0])
        tried[0] += -(-count // alike)
        tried[1] += accepted
        found += wrong
    if "words" in formats:
        accepted, wrong = try_words(seed, count)
        counts["words"] = [count, accepted]
        found += wrong
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {
        "counts": counts,
        "found": found,
        "peak_bytes": peak,
        "cpu_s": sum(resource.getrusage(resource.RUSAGE_SELF)[:2]),
    }


def main() -> None:
    """Print the result of the formats, seed and count named on the command line as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("formats", nargs="+")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=100)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        result = run(set(given.formats), given.seed, given.count)
        os.chdir("/")
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main()
