"""Last resort for shapes that stay unknown: let onnxruntime, when it is there, fold what it can."""

from __future__ import annotations

import math
import subprocess
import sys
import tempfile
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from hwsim.errors import InputError
from hwsim.importers.onnx_read import OnnxFile, decode_model, plain_domain

TIME_LIMIT_S = 120.0
MAX_CONSTANT_ELEMENTS = 2**27

# Runs in a process of its own: a hostile file may crash or hang native code, never hwsim.
_SCRIPT = """
import sys
import onnxruntime
options = onnxruntime.SessionOptions()
options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
options.optimized_model_filepath = sys.argv[2]
options.log_severity_level = 4
onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
"""


def optimise(file: OnnxFile) -> OnnxFile | None:
    """Return `file` after onnxruntime's basic graph optimisation, None when that is not possible.

    Notes
    -----
    Needs the weights inside or beside the file: a stripped model is refused by onnxruntime.
    """
    if find_spec("onnxruntime") is None or _constant_elements(file) > MAX_CONSTANT_ELEMENTS:
        return None
    with tempfile.TemporaryDirectory(prefix="hwsim-") as folder:
        target = Path(folder) / "optimised.onnx"
        command = [sys.executable, "-c", _SCRIPT, str(file.path.resolve()), str(target)]
        try:
            done = subprocess.run(command, capture_output=True, timeout=TIME_LIMIT_S, check=False)
            if done.returncode or not target.is_file():
                return None
            model = decode_model(target.read_bytes(), file.name)
        except (OSError, subprocess.SubprocessError, InputError):
            return None
    opsets = {plain_domain(entry.domain): entry.version for entry in model.opset_import}
    return replace(file, model=model, opsets=opsets)


def _constant_elements(file: OnnxFile) -> int:
    return sum(math.prod(max(0, size) for size in tensor.dims) for tensor in file.model.graph.initializer)
