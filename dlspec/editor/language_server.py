"""The Language Server Protocol over standard input and output, by pygls.

Diagnostics while one types, completion, what a word means, cures, shapes behind each layer, and an outline.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp
from pygls import uris
from pygls.lsp.server import LanguageServer

from dlspec._version import __version__
from dlspec.editor.completion import Completion, complete
from dlspec.editor.examining import UNTITLED, Examined, examine_document
from dlspec.editor.fixing import fix_document
from dlspec.editor.forms import schema
from dlspec.editor.hover import explain_in
from dlspec.editor.outline import Symbol, hints, symbols
from dlspec.editor.positions import to_column, to_units
from dlspec.language.diagnostics import Diagnostic, Edit, Severity, Span
from dlspec.language.yaml import Document, read_file, read_text

FIX_ALL = "source.fixAll.dlspec"
SECONDS = 1.0
"""How long cures are tried out when an editor asks for them."""
TRIGGERS = (" ", ":", "-", "{", "[", ",", "$", "/")
_SPEC = re.compile(r"""^\ufeff?(?:\{\s*)?["']?dlspec["']?\s*[:：]""", re.MULTILINE)
_SEVERITIES = {
    Severity.ERROR: lsp.DiagnosticSeverity.Error,
    Severity.WARNING: lsp.DiagnosticSeverity.Warning,
    Severity.NOTE: lsp.DiagnosticSeverity.Information,
}
_KINDS = {
    "key": lsp.CompletionItemKind.Property,
    "layer": lsp.CompletionItemKind.Class,
    "name": lsp.CompletionItemKind.Reference,
    "value": lsp.CompletionItemKind.EnumMember,
    "column": lsp.CompletionItemKind.Field,
    "file": lsp.CompletionItemKind.File,
    "variable": lsp.CompletionItemKind.Variable,
    "block": lsp.CompletionItemKind.Module,
}


@dataclass
class Open:
    """A spec that is open in the editor.

    Args:
        uri: of the editor.
        file: its path, or where it would be.
        text: as it is in the editor.
        version: of the text.
        examined: None: it is no spec.
        fixed: diagnostics of which cures were looked for -> the same with these.
        told: the documents that its diagnostics were sent to.
    """

    uri: str
    file: str
    text: str
    version: int | None
    examined: Examined | None = None
    fixed: dict[Diagnostic, Diagnostic] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)

    @property
    def lines(self) -> list[str]:
        return self.text.split("\n")


class Specs(LanguageServer):
    """The server, and the specs that are open.

    Args:
        language: of what is explained: `en` or `ko`.
    """

    def __init__(self, language: str = "en") -> None:
        super().__init__("dlspec", __version__, text_document_sync_kind=lsp.TextDocumentSyncKind.Full)
        self.language = language
        self.open: dict[str, Open] = {}

    @property
    def encoding(self) -> str:
        return str(getattr(self.workspace.position_encoding, "value", self.workspace.position_encoding) or "utf-16")

    # --- texts

    def put(self, uri: str, text: str, version: int | None) -> None:
        """A text that was opened or changed: it is checked, and so is every open one that extends it."""
        before = self.open.get(uri)
        told = before.told if before is not None else set()
        self.open[uri] = Open(uri, self._path(uri), text, version, told=told)
        self.check(self.open[uri])
        for other in self.open.values():
            read = other.examined.spec.document.texts if other.examined is not None else ()
            if other.uri != uri and self.open[uri].file in read:
                self.check(other)

    def close(self, uri: str) -> None:
        gone = self.open.pop(uri, None)
        for told in gone.told - self.open.keys() if gone is not None else ():
            self._publish(told, [])

    def check(self, spec: Open) -> None:
        """Checks a text and sends what is wrong, each mistake to the file that it is in."""
        spec.fixed = {}
        spec.examined = examine_document(self._document(spec)) if is_spec(spec.text) else None
        by_uri: dict[str, list[lsp.Diagnostic]] = {spec.uri: []}
        for problem in spec.examined.diagnostics if spec.examined is not None else ():
            uri = self._uri(problem.span, spec)
            if uri != spec.uri and uri in self.open:
                continue  # which has its own
            by_uri.setdefault(uri, []).append(self._diagnostic(problem, spec))
        for uri in spec.told - by_uri.keys() - self.open.keys():
            self._publish(uri, [])
        for uri, found in by_uri.items():
            self._publish(uri, found, spec.version if uri == spec.uri else None)
        spec.told = {*by_uri}

    def _document(self, spec: Open) -> Document:
        """The text with what it extends, as that is in the editor."""
        texts = {Path(other.file).resolve(): other.text for other in self.open.values()}

        def read(path: Path) -> Document:
            text = texts.get(path.resolve())
            document = read_file(path) if text is None else read_text(text, str(path))
            document.read_beside = read
            return document

        document = read_text(spec.text, spec.file)
        document.read_beside = read
        return document

    def _path(self, uri: str) -> str:
        path = uris.to_fs_path(uri) if uri.startswith("file:") else None
        if path is not None:
            return path
        return str(Path(self.workspace.root_path or ".") / UNTITLED)

    def _uri(self, span: Span | None, spec: Open) -> str:
        if span is None or span.file == spec.file or not span.in_file:
            return spec.uri
        path = Path(span.file).resolve()
        known = next((other.uri for other in self.open.values() if Path(other.file).resolve() == path), None)
        return known or uris.from_fs_path(str(path)) or spec.uri

    def _publish(self, uri: str, found: Sequence[lsp.Diagnostic], version: int | None = None) -> None:
        self.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, list(found), version))

    # --- places

    def range(self, span: Span | None, spec: Open) -> lsp.Range:
        """A place in the units of the editor; of what has none, the first line."""
        if span is None or not span.in_file:
            return lsp.Range(lsp.Position(0, 0), lsp.Position(0, len(spec.lines[0])))
        text = spec.text if span.file == spec.file or spec.examined is None else None
        if text is None and spec.examined is not None:
            text = spec.examined.spec.document.texts.get(span.file, "")
        lines = (text or "").split("\n")
        return lsp.Range(
            self._position(lines, span.line, span.column), self._position(lines, span.end_line, span.end_column)
        )

    def _position(self, lines: Sequence[str], line: int, column: int) -> lsp.Position:
        if line > len(lines):  # the end of the text
            return lsp.Position(len(lines) - 1, to_units(lines[-1], len(lines[-1]), self.encoding))
        return lsp.Position(line - 1, to_units(lines[line - 1].removesuffix("\r"), column - 1, self.encoding))

    def place(self, spec: Open, position: lsp.Position) -> tuple[int, int]:
        """Line and column, from 1, of a place in the editor."""
        lines = spec.lines
        line = min(position.line, len(lines) - 1)
        return line + 1, to_column(lines[line], position.character, self.encoding) + 1

    def text_edit(self, edit: Edit, spec: Open) -> lsp.TextEdit:
        return lsp.TextEdit(self.range(edit.span, spec), edit.text)

    # --- what is wrong

    def _diagnostic(self, problem: Diagnostic, spec: Open) -> lsp.Diagnostic:
        said = [problem.message, *(f"note: {note}" for note in problem.notes)]
        said += [f"help: {problem.help}"] if problem.help else []
        unused = problem.code.startswith("unused-")
        related = [
            lsp.DiagnosticRelatedInformation(
                lsp.Location(self._uri(label.span, spec), self.range(label.span, spec)), label.text or "here"
            )
            for label in problem.places
            if label.span.in_file
        ]
        return lsp.Diagnostic(
            self.range(problem.span, spec),
            "\n".join(said),
            severity=_SEVERITIES[problem.severity],
            code=problem.code,
            source="dlspec",
            tags=[lsp.DiagnosticTag.Unnecessary] if unused else None,
            related_information=related or None,
        )

    def problems_in(self, spec: Open, range: lsp.Range) -> list[Diagnostic]:
        """The diagnostics that touch a place, with cures as edits."""
        if spec.examined is None:
            return []
        touched = [problem for problem in spec.examined.diagnostics if _touch(self.range(problem.span, spec), range)]
        missing = [problem for problem in touched if problem not in spec.fixed]
        if missing:
            found = spec.examined.with_fixes(about=missing, seconds=SECONDS)
            spec.fixed |= {each: each for each in found.diagnostics if each in missing}
        return [spec.fixed[problem] for problem in touched]

    def quick_fixes(self, spec: Open, range: lsp.Range) -> Iterator[lsp.CodeAction]:
        for problem in self.problems_in(spec, range):
            for fix in problem.fixes:
                edits = [self.text_edit(edit, spec) for edit in fix.edits]
                yield lsp.CodeAction(
                    fix.title[:1].upper() + fix.title[1:],
                    lsp.CodeActionKind.QuickFix,
                    [self._diagnostic(problem, spec)],
                    is_preferred=fix.sure,
                    edit=lsp.WorkspaceEdit(changes={spec.uri: edits}),
                )

    def fix_all(self, spec: Open) -> lsp.CodeAction | None:
        """Every cure that is sure, at once; None: there is none."""
        if spec.examined is None:
            return None
        fixed = fix_document(self._document(spec))
        if not fixed.applied:
            return None
        edits = [self.text_edit(edit, spec) for edit in _line_edits(spec, fixed.text)]
        change = lsp.WorkspaceEdit(changes={spec.uri: edits})
        return lsp.CodeAction("Apply every cure that is sure", FIX_ALL, edit=change)

    # --- what is shown

    def item(self, one: Completion, spec: Open, number: int) -> lsp.CompletionItem:
        span = Span(spec.file, one.line, one.column, one.line, one.end_column)
        documentation = lsp.MarkupContent(lsp.MarkupKind.Markdown, one.documentation) if one.documentation else None
        return lsp.CompletionItem(
            one.label,
            kind=_KINDS[one.sort],
            detail=one.detail or None,
            documentation=documentation,
            sort_text=f"{number:04}",
            filter_text=one.label,
            text_edit=lsp.TextEdit(self.range(span, spec), one.text),
        )

    def symbol(self, symbol: Symbol, spec: Open) -> lsp.DocumentSymbol:
        whole = Span(spec.file, symbol.line, symbol.column, symbol.end_line, symbol.end_column)
        name = replace(whole, end_line=symbol.line, end_column=symbol.name_end)
        kind = lsp.SymbolKind.Class if symbol.layer else lsp.SymbolKind.Property
        below = [self.symbol(one, spec) for one in symbol.below]
        return lsp.DocumentSymbol(symbol.name, kind, self.range(whole, spec), self.range(name, spec), children=below)


def is_spec(text: str) -> bool:
    """Whether a text has a key `dlspec` at its top."""
    return _SPEC.search(text) is not None


def _touch(one: lsp.Range, other: lsp.Range) -> bool:
    """Whether a diagnostic is on the lines of a place."""
    return one.start.line <= other.end.line and other.start.line <= one.end.line


def _line_edits(spec: Open, text: str) -> Iterator[Edit]:
    """Edits of whole lines that make another text."""
    old, new = spec.lines, text.split("\n")
    for tag, start, end, first, last in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            behind = end < len(old)
            put = "\n".join(new[first:last]) + "\n" * (behind and last > first)
            place = (end + 1, 1) if behind else (len(old), len(old[-1]) + 1)
            begin = (start + 1, 1) if behind or start < len(old) else (len(old), len(old[-1]) + 1)
            put = put if behind or start < len(old) else "\n" + put
            yield Edit(Span(spec.file, *begin, *place), put)


def make_server(language: str = "en") -> Specs:
    """The server with everything that it answers."""
    server = Specs(language)

    @server.feature(lsp.INITIALIZED)
    def initialized(ls: Specs, params: lsp.InitializedParams) -> None:
        schema()  # which takes half a second, once

    @server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    def opened(ls: Specs, params: lsp.DidOpenTextDocumentParams) -> None:
        ls.put(params.text_document.uri, params.text_document.text, params.text_document.version)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    def changed(ls: Specs, params: lsp.DidChangeTextDocumentParams) -> None:
        text = ls.workspace.get_text_document(params.text_document.uri).source
        ls.put(params.text_document.uri, text, params.text_document.version)

    @server.feature(lsp.TEXT_DOCUMENT_DID_SAVE)
    def saved(ls: Specs, params: lsp.DidSaveTextDocumentParams) -> None:
        for spec in ls.open.values():  # data may have changed, too
            ls.check(spec)

    @server.feature(lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def watched(ls: Specs, params: lsp.DidChangeWatchedFilesParams) -> None:
        for spec in ls.open.values():
            ls.check(spec)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def closed(ls: Specs, params: lsp.DidCloseTextDocumentParams) -> None:
        ls.close(params.text_document.uri)

    _answer_questions(server)
    return server


def _answer_questions(server: Specs) -> None:
    """Completion, hover, code actions, hints and symbols; of what is no spec there is nothing."""

    def spec_of(ls: Specs, params: Any) -> Open | None:
        spec = ls.open.get(params.text_document.uri)
        return spec if spec is not None and (spec.examined is not None or not spec.text.strip()) else None

    @server.feature(lsp.TEXT_DOCUMENT_COMPLETION, lsp.CompletionOptions(trigger_characters=list(TRIGGERS)))
    def completion(ls: Specs, params: lsp.CompletionParams) -> list[lsp.CompletionItem]:
        spec = spec_of(ls, params)
        if spec is None:
            return []
        line, column = ls.place(spec, params.position)
        found = complete(spec.text, line, column, file=spec.file, language=ls.language)
        return [ls.item(one, spec, number) for number, one in enumerate(found)]

    @server.feature(lsp.TEXT_DOCUMENT_HOVER)
    def hover(ls: Specs, params: lsp.HoverParams) -> lsp.Hover | None:
        spec = spec_of(ls, params)
        if spec is None or spec.examined is None:
            return None
        found = explain_in(spec.examined, *ls.place(spec, params.position), ls.language)
        if found is None:
            return None
        span = Span(spec.file, found.line, found.column, found.end_line, found.end_column)
        return lsp.Hover(lsp.MarkupContent(lsp.MarkupKind.Markdown, found.text), ls.range(span, spec))

    kinds = [lsp.CodeActionKind.QuickFix, FIX_ALL]

    @server.feature(lsp.TEXT_DOCUMENT_CODE_ACTION, lsp.CodeActionOptions(code_action_kinds=kinds))
    def actions(ls: Specs, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        spec = spec_of(ls, params)
        only = [str(getattr(kind, "value", kind)) for kind in params.context.only or ()]
        if spec is None:
            return []
        found = [] if only and "quickfix" not in only else list(ls.quick_fixes(spec, params.range))
        if any(kind == FIX_ALL or FIX_ALL.startswith(f"{kind}.") for kind in only):
            every = ls.fix_all(spec)
            found += [every] if every is not None else []
        return found

    @server.feature(lsp.TEXT_DOCUMENT_INLAY_HINT)
    def inlay_hints(ls: Specs, params: lsp.InlayHintParams) -> list[lsp.InlayHint]:
        spec = spec_of(ls, params)
        if spec is None or spec.examined is None:
            return []
        first, last = params.range.start.line + 1, params.range.end.line + 1
        lines = spec.lines
        return [
            lsp.InlayHint(ls._position(lines, hint.line, len(lines[hint.line - 1]) + 1), hint.label, padding_left=True)
            for hint in hints(spec.examined, ls.language)
            if first <= hint.line <= last
        ]

    @server.feature(lsp.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def document_symbols(ls: Specs, params: lsp.DocumentSymbolParams) -> list[lsp.DocumentSymbol]:
        spec = spec_of(ls, params)
        return [ls.symbol(one, spec) for one in symbols(spec.examined)] if spec and spec.examined else []
