"""The importer's op table: every ONNX operator type that hwsim reads, and the function that does so."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from hwsim.importers import (
    onnx_ops_constant,
    onnx_ops_contraction,
    onnx_ops_movement,
    onnx_ops_sequence,
    onnx_ops_vector,
)
from hwsim.importers.onnx_walk import Handler

HANDLERS: Mapping[str, Handler] = MappingProxyType({
    **onnx_ops_constant.HANDLERS, **onnx_ops_contraction.HANDLERS, **onnx_ops_movement.HANDLERS,
    **onnx_ops_sequence.HANDLERS, **onnx_ops_vector.HANDLERS,
})
