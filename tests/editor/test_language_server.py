"""The language server as an editor talks to it: a client over a subprocess."""

import asyncio
import json
import re
import shutil
import subprocess
import sys
import tomllib

import pytest
from click.testing import CliRunner
from lsprotocol import types as lsp
from pygls.lsp.client import LanguageClient

from dlspec.cli import cli
from dlspec.language.diagnostics.errors import DataError
from tests.conftest import ROOT

TEXT = """\
dlspec: 1
name: 이름  # 😀 a name
data: {dataset: digits}
model:
  - flatten
  - dens: {units: 16, activation: relu}  # 😀
  - output
train: {epocs: 3}
"""


class Editor(LanguageClient):
    """A client that keeps what the server says."""

    def __init__(self):
        super().__init__("tests", "1")
        self.said, self.versions = {}, {}
        self.news = asyncio.Event()

        @self.feature(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def published(params):
            self.said[params.uri] = list(params.diagnostics)
            self.versions[params.uri] = params.version
            self.news.set()

    async def began(self, folder, encodings):
        await self.start_io(sys.executable, "-m", "dlspec", "lsp", cwd=ROOT)
        general = lsp.GeneralClientCapabilities(position_encodings=encodings)
        capabilities = lsp.ClientCapabilities(general=general)
        answer = await self.initialize_async(lsp.InitializeParams(capabilities, root_uri=folder.as_uri()))
        self.initialized(lsp.InitializedParams())
        return answer

    async def put(self, uri, text, version=1):
        """Opens a text, or changes it, and gives what the server says of it."""
        self.versions[uri] = None
        if version == 1:
            item = lsp.TextDocumentItem(uri, "yaml", version, text)
            self.text_document_did_open(lsp.DidOpenTextDocumentParams(item))
        else:
            document = lsp.VersionedTextDocumentIdentifier(version, uri)
            changes = [lsp.TextDocumentContentChangeWholeDocument(text)]
            self.text_document_did_change(lsp.DidChangeTextDocumentParams(document, changes))
        while self.versions[uri] != version:
            await self.heard()
        return self.said[uri]

    async def heard(self):
        """Waits for more."""
        self.news.clear()
        await asyncio.wait_for(self.news.wait(), 20)


async def with_editor(folder, talk, encodings=(lsp.PositionEncodingKind.Utf16,)):
    editor = Editor()
    try:
        answer = await editor.began(folder, list(encodings))
        return await talk(editor, answer)
    finally:
        await editor.shutdown_async(None)
        editor.exit(None)
        await editor.stop()


def at(position_of, word, text=TEXT, encoding="utf-16-le"):
    """Where a word begins, in units of two bytes or of one."""
    before = text[: text.index(word) + position_of]
    line = before.rsplit("\n", 1)[-1]
    return lsp.Position(before.count("\n"), len(line.encode(encoding)) // (2 if encoding == "utf-16-le" else 1))


def applied(text, edits, encoding="utf-16-le"):
    """The text after edits of the server, as an editor makes them."""
    unit = 2 if encoding == "utf-16-le" else 1
    lines = [line.encode(encoding) for line in text.split("\n")]
    for edit in sorted(edits, key=lambda edit: (edit.range.start.line, edit.range.start.character), reverse=True):
        start, end = edit.range.start, edit.range.end
        before, behind = lines[start.line][: start.character * unit], lines[end.line][end.character * unit :]
        lines[start.line : end.line + 1] = (before + edit.new_text.encode(encoding) + behind).split(
            "\n".encode(encoding)
        )
    return b"\n".decode().join(line.decode(encoding) for line in lines)


def test_a_spec_is_mended_completed_and_explained_by_an_editor(tmp_path):
    uri = (tmp_path / "spec.yaml").as_uri()
    document = lsp.TextDocumentIdentifier(uri)

    async def talk(editor, answer):
        assert answer.capabilities.position_encoding == "utf-16"
        found = await editor.put(uri, TEXT)
        assert [(each.code, each.range.start, each.source) for each in found] == [
            ("unknown-layer", at(0, "dens:"), "dlspec"), ("unknown-key", at(0, "epocs"), "dlspec"),
        ]  # fmt: skip
        everywhere = lsp.Range(lsp.Position(0, 0), lsp.Position(99, 0))
        context = lsp.CodeActionContext([])
        actions = await editor.text_document_code_action_async(lsp.CodeActionParams(document, everywhere, context))
        assert [action.title for action in actions] == ["Write `dense`", "Write `epochs`"]
        (only,) = await editor.text_document_code_action_async(
            lsp.CodeActionParams(document, everywhere, lsp.CodeActionContext([], [lsp.CodeActionKind.SourceFixAll]))
        )
        text = applied(TEXT, only.edit.changes[uri])
        assert text == TEXT.replace("dens:", "dense:").replace("epocs", "epochs")
        assert await editor.put(uri, text, 2) == []
        hover = await editor.text_document_hover_async(lsp.HoverParams(document, at(1, "dense", text)))
        assert "(batch, 64) → (batch, 16)" in hover.contents.value
        hints = await editor.text_document_inlay_hint_async(lsp.InlayHintParams(document, everywhere))
        assert [(hint.position.line, hint.label) for hint in hints] == [
            (4, "→ (batch, 64)"), (5, "→ (batch, 16) · 1,040 parameters"), (6, "→ (batch, 10) · 170 parameters"),
        ]  # fmt: skip
        assert hints[1].position.character == len(text.split("\n")[5].encode("utf-16-le")) // 2
        symbols = await editor.text_document_document_symbol_async(lsp.DocumentSymbolParams(document))
        assert [each.name for each in symbols] == ["dlspec", "name", "data", "model", "train"]
        assert [each.name for each in symbols[3].children] == ["flatten", "dense", "output"]
        typing = text.replace("# 😀 a name", "# 😀").replace("epochs: 3", "epochs: 3, opti")
        await editor.put(uri, typing, 3)
        items = await editor.text_document_completion_async(lsp.CompletionParams(document, at(4, "opti", typing)))
        assert [item.label for item in items] == ["optimizer"]
        assert applied(typing, [items[0].text_edit]).endswith("epochs: 3, optimizer: }\n")
        assert await editor.put(uri, "a: {b\n", 4) == []  # which is no spec

    asyncio.run(with_editor(tmp_path, talk))


def test_places_in_bytes_and_specs_that_extend_others(tmp_path):
    base, top = tmp_path / "base.yaml", tmp_path / "top.yaml"
    base.write_text("dlspec: 1\ndata: {dataset: digits}\nmodel: [flatten, dens: 8, output]\n", encoding="utf-8")
    text = "dlspec: 1\nname: 가  # 😀\nextends: base.yaml\ntrain: {description: 한글😀, epocs: 3}\n"

    async def talk(editor, answer):
        assert answer.capabilities.position_encoding == "utf-8"
        uri = top.as_uri()
        found = await editor.put(uri, text)
        assert [each.code for each in found] == ["unknown-key", "unknown-key"]
        assert found[1].range.start == at(0, "epocs", text, "utf-8")
        while base.as_uri() not in editor.said:
            await editor.heard()
        assert [each.code for each in editor.said[base.as_uri()]] == ["unknown-layer"]
        # the base is mended in the editor, and not saved
        await editor.put(base.as_uri(), base.read_text(encoding="utf-8").replace("dens:", "dense:"))
        assert editor.said[base.as_uri()] == []
        hints = await editor.text_document_inlay_hint_async(
            lsp.InlayHintParams(
                lsp.TextDocumentIdentifier(base.as_uri()), lsp.Range(lsp.Position(0, 0), lsp.Position(9, 0))
            )
        )
        assert [hint.label for hint in hints] == ["× 3 · → (batch, 10) · 610 parameters"]

    asyncio.run(with_editor(tmp_path, talk, [lsp.PositionEncodingKind.Utf8, lsp.PositionEncodingKind.Utf16]))


def test_the_extension_of_vs_code_is_javascript_that_starts_this_command():
    folder = ROOT / "editors" / "vscode"
    package = json.loads((folder / "package.json").read_text(encoding="utf-8"))
    assert (folder / package["main"]).is_file()
    source = (folder / "extension.js").read_text(encoding="utf-8")
    assert '"lsp", "--lang"' in source
    for setting in package["contributes"]["configuration"]["properties"]:
        assert f'get("{setting.removeprefix("dlspec.")}")' in source
    if node := shutil.which("node"):
        subprocess.run([node, "--check", str(folder / "extension.js")], check=True)


def test_settings_of_editors_start_the_server():
    text = (ROOT / "docs" / "editors.md").read_text(encoding="utf-8")
    helix, shown = (tomllib.loads(block) for block in re.findall(r"```toml\n(.*?)```", text, re.DOTALL))
    assert helix["language-server"]["dlspec"] == {"command": "dlspec", "args": ["lsp"]}
    assert shown["editor"]["lsp"]["display-inlay-hints"] is True
    assert 'cmd = { "dlspec", "lsp" }' in text
    assert '("dlspec" "lsp")' in text


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr("dlspec.runtime.packages.is_there", lambda module: module != "pygls")
    with pytest.raises(DataError, match=r"`dlspec lsp` needs pygls[^$]*dlspec\[lsp\]"):
        CliRunner().invoke(cli, ["lsp"], catch_exceptions=False)
