"""What is odd about data that were read and split, before anything is trained: one function for each finding.

Most of it is a warning, since data may be odd and right; of what is more than `LOOKED_AT` rows, a sample is looked at.
"""

from __future__ import annotations

from dlspec.data_check import columns, parts
from dlspec.data_check.base import LOOKED_AT, RULES, Looked, Rule
from dlspec.diagnostics import Diagnostic, in_file_order
from dlspec.preparation import Prepared
from dlspec.spec import Spec

__all__ = ["LOOKED_AT", "RULES", "Looked", "Rule", "check_data", "columns", "parts"]


def check_data(spec: Spec, data: Prepared) -> list[Diagnostic]:
    """Everything that is odd, in file order."""
    looked = Looked.at(spec, data)
    return in_file_order([problem for each in RULES for problem in each(looked)])
