"""What is computed: networks as graphs of operators over tensors."""

from __future__ import annotations

from hwsim.graph.build import GraphBuilder
from hwsim.graph.contraction import MatrixProduct, Window, matrix_products
from hwsim.graph.formats import format_text, parse_format
from hwsim.graph.ops import OP_KINDS, PRIMITIVES, Category, Operand, OpKind, Required, Work, op_kind, work_of
from hwsim.graph.passes import drop_identity, fold_batch_normalization, remove_dead, set_precision
from hwsim.graph.statistics import ace, bit_operations, macs, op_table, parameters, total_work
from hwsim.graph.text import fingerprint, from_text, structure_fingerprint, to_text
from hwsim.graph.types import (
    BFLOAT16,
    BINARY,
    BOOLEAN,
    FLOAT16,
    FLOAT32,
    FLOAT64,
    INT4,
    INT8,
    INT16,
    INT32,
    INT64,
    TERNARY,
    UINT8,
    AttributeValue,
    FormatKind,
    Graph,
    NumberFormat,
    Op,
    Phase,
    Role,
    Shape,
    Sparsity,
    SparsityPattern,
    Storage,
    Tensor,
)
from hwsim.graph.verify import verify_graph

__all__ = [
    "BFLOAT16", "BINARY", "BOOLEAN", "FLOAT16", "FLOAT32", "FLOAT64",
    "INT4", "INT8", "INT16", "INT32", "INT64", "OP_KINDS", "PRIMITIVES", "TERNARY", "UINT8",
    "AttributeValue", "Category", "FormatKind", "Graph", "GraphBuilder", "MatrixProduct", "NumberFormat",
    "Op", "OpKind", "Operand", "Phase", "Required", "Role", "Shape", "Sparsity", "SparsityPattern",
    "Storage", "Tensor", "Window", "Work", "ace", "bit_operations", "drop_identity", "fingerprint",
    "fold_batch_normalization", "format_text", "from_text", "macs", "matrix_products", "op_kind", "op_table",
    "parameters", "parse_format", "remove_dead", "set_precision", "structure_fingerprint", "to_text",
    "total_work", "verify_graph", "work_of",
]
