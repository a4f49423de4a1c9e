"""What is odd about data that were read and split, before anything is trained: one function for each finding.

Most of it is a warning, since data may be odd and right; of what is more than `LOOKED_AT` rows, a sample is looked at.
"""

from __future__ import annotations

from dlspec.data.checks import column_rules, language_rules, split_rules, tag_rules  # noqa: F401, each registers its rules
from dlspec.data.checks.base import RULES, Looked
from dlspec.data.preparation import Prepared
from dlspec.data.section import DataSpec
from dlspec.language.diagnostics import Diagnostic, in_file_order

__all__ = ["check_data"]


def check_data(section: DataSpec, data: Prepared, *, weighted: bool = False, chosen_by: str = "") -> list[Diagnostic]:
    """Everything that is odd, in file order.

    Args:
        weighted: whether training weighs classes.
        chosen_by: what the validation part is used for, as `choice_by_validation` words it.
    """
    looked = Looked.at(section, data, weighted, chosen_by)
    rules = language_rules.RULES_OF_TEXTS if data.signature.target.tokens else RULES
    return in_file_order([problem for each in rules for problem in each(looked)])
