"""What is shipped is what its source gives: the page, and the templates out of `specs/`."""

import gzip
import importlib.util
import re
import subprocess
import sys

import pytest

import dlspec
from dlspec.studio.palette import BLOCKS, palette, templates
from dlspec.studio.routes.page import PAGE
from tests.conftest import ROOT

SOURCE = ROOT / "packages" / "studio"


def test_the_templates_are_those_of_specs():
    spec = importlib.util.spec_from_file_location("studio_templates", SOURCE / "templates.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.FILE.read_text(encoding="utf-8") == module.written(), "run `python packages/studio/templates.py`"
    assert templates()[0]["name"] == "spiral_mlp"
    assert {each["has"] for each in templates()} == {"points", "table", "series", "pictures", "sounds", "texts"}


@pytest.mark.parametrize("name", BLOCKS)
def test_blocks_can_be_put_into_a_network(name):
    lines = "".join(f"  {line}\n" for line in BLOCKS[name][1].splitlines())
    start = "data: {dataset: digits}"
    if name == "two recurrent layers":
        start = "data: {dataset: goog, target: close, window: {length: 20}}"
    if name in ("convolution block", "residual block"):
        lines = "  - reshape: [8, 8, 1]\n" + lines + "  - flatten\n"
    if name == "dense with dropout":
        lines = "  - flatten\n" + lines
    found = dlspec.validate(f"dlspec: 1\n{start}\nmodel:\n{lines}  - output\ntrain: {{epochs: 1}}\n")
    assert [each.message for each in found if each.is_error] == []


def test_every_layer_of_the_palette_is_one():
    known = {item["name"]: item for group in palette()["layers"] for item in group["items"]}
    assert {"dense", "lstm", "conv2d", "dropout", "skip"} <= {*known}
    for name, item in known.items():
        assert item["text"].startswith(f"- {name}"), name
        assert item["about"], name


def test_the_page_is_small_and_names_no_other_host():
    """Below 250 KB as gzip; addresses in it are names of XML, or words of libraries about their errors."""
    files = [path for path in PAGE.rglob("*") if path.is_file()]
    assert sum(len(gzip.compress(path.read_bytes(), 9)) for path in files) < 250_000
    text = "".join(path.read_text(encoding="utf-8") for path in files)
    hosts = set(re.findall(r"https?://([\w.-]+)", text))
    assert hosts <= {"www.w3.org", "svelte.dev", "codemirror.net", "github.com", "127.0.0.1", "localhost"}
    index = (PAGE / "index.html").read_text(encoding="utf-8")
    assert 'content="{nonce}"' in index
    assert not re.search(r"<script(?![^>]* src=)|<style|\son\w+=|style=", index)


@pytest.mark.slow
def test_the_page_is_what_its_source_gives():
    done = subprocess.run([sys.executable, SOURCE / "build.py", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    if "not checked" in done.stdout:
        pytest.skip(done.stdout)


def words():
    """Language -> the words of the page by their keys."""
    found = {"en": {}, "ko": {}}
    for path in sorted((SOURCE / "src" / "words").glob("*.js")):
        text = path.read_text(encoding="utf-8")
        parts = dict(zip(("en", "ko"), re.split(r"^  ko: \{$", text, flags=re.MULTILINE), strict=True))
        for language, part in parts.items():
            for key, value in re.findall(r"^    '?([^':\n]+)'?:\s*\n?\s*(['\"`].*['\"`]),?$", part, re.MULTILINE):
                assert key not in found[language], f"`{key}` is told twice in `{language}`"
                found[language][key] = value
    return found


def test_all_is_told_in_both_languages():
    """Every key in English and in Korean, with the same figures in it, and every key that the page names."""
    told = words()
    assert sorted(told["en"]) == sorted(told["ko"])
    for key, text in told["en"].items():
        assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", told["ko"][key])), key
    named = set()
    for path in (SOURCE / "src").rglob("*.*"):
        if path.suffix in (".svelte", ".js") and path.parent.name != "words":
            named |= set(re.findall(r"(?<![\w.])t\('([^']+)'", path.read_text(encoding="utf-8")))
    assert named - {*told["en"]} == set()
    assert len(named) > 60
