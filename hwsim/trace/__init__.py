"""What the hardware does: loop programs in columns, and the readers that count and time them."""

from hwsim.trace.build import TraceBuilder
from hwsim.trace.fold import Folded, busy_cycles, fold
from hwsim.trace.reduce import Activity, iterations, reduce
from hwsim.trace.text import fingerprint, to_text
from hwsim.trace.types import LoopKind, Trace
from hwsim.trace.verify import verify_conservation, verify_trace
from hwsim.trace.walk import Chunk, walk

__all__ = [
    "Activity",
    "Chunk",
    "Folded",
    "LoopKind",
    "Trace",
    "TraceBuilder",
    "busy_cycles",
    "fingerprint",
    "fold",
    "iterations",
    "reduce",
    "to_text",
    "verify_conservation",
    "verify_trace",
    "walk",
]
