"""`# dlspec: ignore[code] reason` silences a warning on its line; an error stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dlspec.diagnostics import Diagnostic, Severity, explain, explained_codes, load_explanations
from dlspec.fields import did_you_mean
from dlspec.source import IgnoreComment, ignore_comments

FORM = "write `# dlspec: ignore[code] reason`"


def without_ignored(diagnostics: Sequence[Diagnostic], texts: Mapping[str, str], *, complete: bool) -> list[Diagnostic]:
    """What is left of the diagnostics, and what is wrong with the comments that silence them.

    Args:
        texts: file name -> text of the spec and of those that it extends.
        complete: everything could be checked, so that a comment that silences nothing is of no use.
    """
    comments = [comment for file, text in texts.items() for comment in ignore_comments(text, file)]
    if not comments:
        return list(diagnostics)
    left = [d for d in diagnostics if d.is_error or not any(_about(comment, d) for comment in comments)]
    complete = complete and not any(d.is_error for d in diagnostics)
    for comment in comments:
        left += _problems(comment, diagnostics, complete)
    return left


def _about(comment: IgnoreComment, diagnostic: Diagnostic) -> bool:
    span = diagnostic.span
    if span is None or diagnostic.code not in comment.codes:
        return False
    return (span.file, span.line) == (comment.span.file, comment.line)


def _problems(comment: IgnoreComment, diagnostics: Sequence[Diagnostic], complete: bool) -> list[Diagnostic]:
    def warn(code: str, message: str, help: str | None) -> Diagnostic:
        return Diagnostic(code, message, comment.span, Severity.WARNING, help)

    if not comment.codes:
        return [warn("useless-ignore", "this comment names no code to ignore", FORM)]
    found = []
    for code in comment.codes:
        about = [d for d in diagnostics if _about(comment, d) and d.code == code]
        if any(d.is_error for d in about):
            found.append(warn("cannot-ignore", f"`{code}` is an error here, and errors stay", "remove the comment"))
        elif not about and not _is_code(code):
            help = did_you_mean(code, explained_codes(), otherwise=FORM)
            found.append(warn("useless-ignore", f"there is no code `{code}`", help))
        elif not about and complete:
            found.append(warn("useless-ignore", f"there is no `{code}` to ignore on line {comment.line}", "remove it"))
    if not comment.reason:
        help = f"write `# dlspec: ignore[{', '.join(comment.codes)}]` and why"
        found.append(warn("ignore-without-reason", "this comment does not say why", help))
    return found


def _is_code(code: str) -> bool:
    if code not in explained_codes():
        load_explanations()  # those of modules that no check needs
    return code in explained_codes()


explain(
    "useless-ignore",
    """
    A comment `# dlspec: ignore[…]` silences nothing.

    The warning is gone, or stands on another line, or its code is misspelt. A comment that stays would silence the next
    mistake of that kind without anyone noticing.

    Wrong:
        train: {epochs: 5}  # dlspec: ignore[large-learning-rate] tried and fine
    Right:
        train: {epochs: 5}
    """,
)
explain(
    "ignore-without-reason",
    """
    A comment `# dlspec: ignore[…]` does not say why.

    Who reads the spec next cannot tell a decision from an oversight.

    Wrong:
        train: {optimizer: {sgd: 50}}  # dlspec: ignore[large-learning-rate]
    Right:
        train: {optimizer: {sgd: 50}}  # dlspec: ignore[large-learning-rate] the loss is scaled by 1/1000
    """,
)
explain(
    "cannot-ignore",
    """
    A comment `# dlspec: ignore[…]` names an error, and only warnings can be silenced.

    A spec with an error cannot be trained, whatever a comment says: mend the line.

    Wrong:
        train: {epochs: 0}  # dlspec: ignore[out-of-range] no training wanted
    Right:
        train: {epochs: 1}
    """,
)
