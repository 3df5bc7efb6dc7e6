"""The text form names everything a trace holds, and the fingerprint is the digest of that text."""

from __future__ import annotations

import hashlib

from hwsim.trace import LoopKind, Trace, TraceBuilder, fingerprint, to_text


def ragged() -> Trace:
    """Two series, two access patterns, rows before, between and after loops, skips out of order."""
    build = TraceBuilder()
    build.skip("z", "zero state", 7)
    build.skip("a", "N:M", 3)
    with build.loop(2, LoopKind.SEQ, node="a"):
        build.event("dram", "read", 1, access=(4, [0, 5, 1]))
        with build.loop(series=[1, 3], kind=LoopKind.PAR):
            build.event("array", "mac", 2, bits=8, access=(9, [0, 6, 7, 2]))
        build.event("dram", "write", 1)
    build.event("host", "end", 1, node="z")
    with build.loop(series=[4], kind=LoopKind.PIPE):
        build.event("host", "poll", 1, node="z")
    return build.build()


def test_everything_a_trace_holds_is_in_its_text() -> None:
    assert to_text(ragged()) == (
        "seq 1\n"
        "  seq 2 @a\n"
        "    a dram.read 1 at 4 + [0, 5, 1]\n"
        "    par series [1, 3]\n"
        "      a array.mac 2 x 8 b at 9 + [0, 6, 7, 2]\n"
        "    a dram.write 1\n"
        "  z host.end 1\n"
        "  pipe series [4]\n"
        "    z host.poll 1\n"
        "skip a 3: N:M\n"
        "skip z 7: zero state\n"
    )


def test_a_family_shows_the_numbers_of_every_design() -> None:
    build = TraceBuilder(2)
    with build.loop([3, 4], node="n"):
        build.event("array", "mac", [1, 2], bits=[0, 8])
        build.event("array", "load", 5, bits=[0, 0])
    assert to_text(build.build()) == (
        "seq [1, 1]\n  seq [3, 4] @n\n    n array.mac [1, 2] x [0, 8] b\n    n array.load [5, 5]\n"
    )


def test_the_fingerprint_is_the_digest_of_the_text() -> None:
    trace = ragged()
    assert fingerprint(trace) == hashlib.blake2b(to_text(trace).encode(), digest_size=16).hexdigest()
    assert len(fingerprint(trace)) == 32
