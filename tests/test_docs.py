"""What is written about dlspec is true: names, specs, commands and the example."""

import os
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.io import wavfile

from dlspec.cli import COMMANDS
from dlspec.data.split import Split, WalkForward, Window
from dlspec.language.yaml import read_file
from dlspec.pretraining import PRETRAINING
from dlspec.spec.spec import COMPOSITION, SECTIONS, Spec
from dlspec.training.early_stopping import EarlyStopping
from dlspec.views.reference.catalogue import sections
from dlspec.views.reference.pages import pages
from dlspec.views.reference.section_examples import SECTION_EXAMPLES
from tests.commands import dlspec as dlspec_command
from tests.conftest import ROOT, problems_of
from tests.test_kinds import REGISTRIES

LANGUAGE = (ROOT / "docs" / "language.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


PAGES = {name.removesuffix(".md"): text for name, text in pages().items()}


def section(page: str, heading: str) -> str:
    """What stands below a heading of a page, up to the next one."""
    return re.split(rf"^##+ {re.escape(heading)}$", page, maxsplit=1, flags=re.MULTILINE)[1].split("\n##")[0]


@pytest.mark.parametrize("registry", [*REGISTRIES, PRETRAINING], ids=lambda registry: registry.noun)
def test_the_reference_has_every_name_and_every_argument(registry):
    noun = registry.noun.replace(" ", "_")
    page = PAGES[noun + ("es" if noun.endswith("s") else "s")]
    of_all = page.split("\n## ")[0]
    for name in registry:
        own = section(page, name)
        for key, _ in registry[name].keys().items():
            assert f"`{key}`" in own or f"| `{key}` |" in of_all, f"{name}.{key}"


@pytest.mark.parametrize(
    "model", [Spec, *SECTIONS.values(), Window, Split, WalkForward, EarlyStopping], ids=lambda m: m.__name__
)
def test_the_reference_has_every_key(model):
    page = PAGES["pretraining_methods"] if model is SECTIONS["pretrain"] else PAGES["keys"]
    for key, _ in model.keys().items():
        assert f"| `{key}` |" in page, key


EXAMPLES = [(path, example) for path, examples in SECTION_EXAMPLES.items() for example in examples]


@pytest.mark.parametrize(("path", "example"), EXAMPLES, ids=lambda value: value.split("\n")[0])
def test_examples_of_sections_have_no_mistake(path, example, tmp_path):
    rows = "".join(f"{day},1,2\n" for day in range(300))
    (tmp_path / "prices.csv").write_text(f"date,open,close\n{rows}", encoding="utf-8")
    (tmp_path / "older_prices.csv").write_text(f"date,open,close\n{rows}", encoding="utf-8")
    (tmp_path / "patients.csv").write_text("age,ill\n3,yes\n4,no\n5,yes\n6,no\n", encoding="utf-8")
    visits = "".join(
        f"{i // 2},{40 + i},{'yes' if i % 2 else 'no'},{('train', 'val', 'test')[i % 3]}\n" for i in range(60)
    )
    (tmp_path / "visits.csv").write_text(f"patient,age,ill,part\n{visits}", encoding="utf-8")
    quotes = "".join(f"{name},{day},{day % 7},{day}\n" for name in ("ABC", "XYZ") for day in range(300))
    (tmp_path / "quotes.csv").write_text(f"ticker,date,close,volume\n{quotes}", encoding="utf-8")
    (tmp_path / "sales.txt").write_text("Köln;3;1.200,5\nUlm;4;80\nUlm;?;90\n", encoding="cp1252")
    pd.DataFrame({"day": range(60), "sold": range(60)}).to_excel(
        tmp_path / "book.xlsx", sheet_name="sales", index=False
    )
    (tmp_path / "sick.csv").write_text("age,ill\n7,yes\n,yes\n", encoding="utf-8")
    (tmp_path / "films.csv").write_text("length,genres\n90,war|love\n100,love\n", encoding="utf-8")
    (tmp_path / "notes.csv").write_text("said,tags\nAnna sang .,B-PER O O\nHe slept,O O\n", encoding="utf-8")
    (tmp_path / "weather.csv").write_text("pressure,rain,wind\n990,1,yes\n1010,0,no\n", encoding="utf-8")
    phrases = "".join(f"number {i} of {i % 7},nombre {i}\n" for i in range(60))
    (tmp_path / "phrases.csv").write_text(f"english,french\n{phrases}", encoding="utf-8")
    (tmp_path / "more_patients.csv").write_text("age,height\n3,90\n4,100\n", encoding="utf-8")
    for name in ("pets", "more_pets", "words", "more_words", "reviews", "more_reviews"):
        for kind in ("one", "other"):
            (tmp_path / name / kind).mkdir(parents=True)
            Image.new("RGB", (20, 16), "red").save(tmp_path / name / kind / "1.png")
            wavfile.write(tmp_path / name / kind / "1.wav", 8000, np.zeros(8000, "int16"))
            (tmp_path / name / kind / "1.txt").write_text(f"what is {kind}", encoding="utf-8")
    for name, end, column in (("pets", "png", "kind"), ("words", "wav", "word")):
        named = "".join(f"{name}/{kind}/1.{end},{kind}\n" for kind in ("one", "other") * 2)
        (tmp_path / f"{name}.csv").write_text(f"file,{column}\n{named}", encoding="utf-8")
    for name in ("photos", "masks"):
        (tmp_path / name).mkdir()
        for i in range(40):
            values = np.random.default_rng(i).choice([0, 100, 255], (8, 8))
            Image.fromarray(values.astype("uint8")).save(tmp_path / name / f"{i}.png")
    np.savez(tmp_path / "samples.npz", x=np.zeros((40, 3, 3)), y=np.arange(40) % 2)
    np.save(tmp_path / "more.npy", np.zeros((9, 3, 3)))
    (tmp_path / "runs" / "large" / "001").mkdir(parents=True)
    (tmp_path / "runs" / "large" / "001" / "model.keras").touch()
    assert problems_of(example, tmp_path) == []


def test_examples_of_sections_use_every_key():
    for path, model in sections():
        text = "".join(SECTION_EXAMPLES[path])
        for key in (*model.keys(), *(() if path else COMPOSITION)):
            assert re.search(rf"\b{key}: ", text) or re.search(rf"^ *{key}:$", text, re.MULTILINE), f"{path}.{key}"


def test_the_reference_and_the_readme_have_every_command():
    for name in COMMANDS:
        assert f"`{name}`" in LANGUAGE
        assert re.search(f"`dlspec {name}[ `]", README), name


def test_the_spec_in_the_readme_is_the_one_that_is_run():
    (block,) = re.findall(r"```yaml\n(dlspec: 1\n.*?)```", README, re.DOTALL)
    written = (ROOT / "specs" / "lstm_stock.yaml").read_text(encoding="utf-8")
    assert written.endswith(block)


def test_the_mistakes_in_the_readme_are_what_validate_says(tmp_path, monkeypatch):
    text = (ROOT / "specs" / "lstm_stock.yaml").read_text(encoding="utf-8")
    text = text.replace("{units: 64, return_sequences: true}", "64").replace("{adam:", "{adma:")
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "lstm_stock.yaml").write_text(text, encoding="utf-8")
    done = dlspec_command("validate", "specs/lstm_stock.yaml", cwd=tmp_path)
    (block,) = re.findall(r"```\n\$ dlspec validate specs/lstm_stock.yaml\n(.*?)```", README, re.DOTALL)
    assert done.stderr.startswith(block)


def test_the_readme_has_every_pretraining_method_and_its_section_has_no_mistake(tmp_path):
    for name in PRETRAINING:
        assert f"| `{name}` |" in README
    (block,) = re.findall(r"```yaml\n(pretrain:\n.*?)```", README, re.DOTALL)
    before, _, _ = (ROOT / "specs" / "digits_dbn.yaml").read_text(encoding="utf-8").partition("pretrain:")
    assert problems_of(before + block, tmp_path) == []


def test_files_named_in_the_readme_exist():
    for path in re.findall(r"\]\(([^)h][^)]*)\)|`((?:specs|examples)/[\w./]+)`", README):
        assert (ROOT / (path[0] or path[1])).exists(), path


@pytest.mark.parametrize("block", re.findall(r"```yaml\n(.*?)```", LANGUAGE, re.DOTALL))
def test_specs_in_the_language_have_no_mistake(block, tmp_path):
    (tmp_path / "sales.txt").write_text("Köln;3;1.200,5\nUlm;4;80\nUlm;?;90\n", encoding="cp1252")
    assert problems_of(block, tmp_path) == []


def test_the_pre_commit_hook_calls_a_command_that_exists():
    (hook,) = read_file(ROOT / ".pre-commit-hooks.yaml").root.plain()
    assert hook["entry"] == "dlspec validate"


@pytest.mark.slow  # a whole specimen of `specs/`
def test_the_example_runs(tmp_path):
    done = subprocess.run(
        [sys.executable, ROOT / "examples" / "quickstart.py"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    assert "RMSE" in done.stdout
    assert (tmp_path / "runs" / "lstm_stock" / "001" / "report.html").exists()
