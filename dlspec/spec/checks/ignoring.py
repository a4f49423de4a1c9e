"""`# dlspec: ignore[code] reason` silences a warning on its line; an error stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dlspec.language.codes import explanations
from dlspec.language.diagnostics import Diagnostic, Severity
from dlspec.language.words import did_you_mean
from dlspec.language.yaml import IgnoreComment, ignore_comments

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
        elif not about and code not in explanations():
            help = did_you_mean(code, explanations(), otherwise=FORM)
            found.append(warn("useless-ignore", f"there is no code `{code}`", help))
        elif not about and complete:
            found.append(warn("useless-ignore", f"there is no `{code}` to ignore on line {comment.line}", "remove it"))
    if not comment.reason:
        help = f"write `# dlspec: ignore[{', '.join(comment.codes)}]` and why"
        found.append(warn("ignore-without-reason", "this comment does not say why", help))
    return found
