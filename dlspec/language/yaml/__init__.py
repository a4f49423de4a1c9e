"""YAML text -> Document: values, and a Span for every key and value. The only package that imports yaml.

YAML 1.2 core scalars are read: `1e-3` is a number, `no`, `on` and `12:30` are text, `010` is ten. Repeated
keys, unknown tags and documents that expand or nest past a limit are errors, each on its line.
"""

from dlspec.language.yaml.comments import IgnoreComment, ignore_comments
from dlspec.language.yaml.nodes import Document, Node
from dlspec.language.yaml.reading import MAX_BYTES, MAX_NODES, read_bytes, read_file, read_text
from dlspec.language.yaml.writing import to_inline_yaml, to_yaml

__all__ = [
    "MAX_BYTES",
        "MAX_NODES",
    "Document",
    "IgnoreComment",
    "Node",
            "ignore_comments",
    "read_bytes",
    "read_file",
    "read_text",
        "to_inline_yaml",
    "to_yaml",
]  # fmt: skip
