"""Specs at a revision of git, in repositories of their own."""

import os
import subprocess

import pytest

import dlspec
from dlspec.runtime.git import read_at
from dlspec.spec.revisions import at_revision
from tests.commands import dlspec_here

SPEC = "dlspec: 1\nextends: base.yaml\nname: it\ntrain: {epochs: 3}\n"
BASE = "dlspec: 1\ndata: {table: rows.csv, target: kind}\nmodel: [dense: 4, output]\n"


def git(folder, *words):
    person = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    subprocess.run(["git", *person, *words], cwd=folder, env=environment, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """Two commits of a spec in a folder `specs`, and changes that are not committed."""
    specs = tmp_path / "specs"
    specs.mkdir()
    git(tmp_path, "init", "-q", "-b", "main")
    rows = "".join(f"{i},{'uv'[i % 2]}\n" for i in range(40))
    (specs / "rows.csv").write_text(f"a,kind\n{rows}", encoding="utf-8")
    for epochs, units in ((3, 4), (5, 6)):
        (specs / "a.yaml").write_text(SPEC.replace("3", str(epochs)), encoding="utf-8")
        (specs / "base.yaml").write_text(BASE.replace("4", str(units)), encoding="utf-8")
        git(tmp_path, "add", "-A")
        git(tmp_path, "commit", "-q", "-m", "a")
    (specs / "a.yaml").write_text(SPEC.replace("3", "7"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def changes(*specs):
    found = dlspec.diff(*specs)
    return [(x.key, x.text) for x in found.keys] + [(x.name, x.what) for x in found.layers if x.what]


def code_of(*specs):
    with pytest.raises(dlspec.DataError) as raised:
        dlspec.diff(*specs)
    (found,) = raised.value.diagnostics
    assert found.help
    return found.code, found.message, found.help


def test_a_spec_at_a_revision_extends_what_was_there_then(repository):
    assert changes("HEAD~1:specs/a.yaml", "main:specs/a.yaml") == [
        ("train.epochs", "3 → 5"), ("dense_1", "units: 4 → 6")
    ]  # fmt: skip
    assert changes("specs/a.yaml") == [("train.epochs", "5 → 7")]
    assert changes("HEAD~1:specs/a.yaml") == [("train.epochs", "3 → 7"), ("dense_1", "units: 4 → 6")]
    git(repository, "add", "specs/a.yaml")
    assert changes(":specs/a.yaml", "specs/a.yaml") == []
    found = dlspec.diff("HEAD~1:specs/a.yaml", "specs/a.yaml")
    assert found.layers[0].place == "specs/base.yaml:3"
    assert "data files are read as they are now, for both" in found.notes
    assert found.old.errors == []


def test_paths_begin_in_the_current_folder(repository, monkeypatch):
    monkeypatch.chdir(repository / "specs")
    assert changes("HEAD:a.yaml", "a.yaml") == [("train.epochs", "5 → 7")]
    code, _, help = code_of("HEAD:specs/a.yaml", "a.yaml")
    assert code == "file-not-found"
    assert "did you mean `HEAD:a.yaml`?" in help
    monkeypatch.chdir("/")
    assert changes(str(repository / "specs" / "a.yaml")) == [("train.epochs", "5 → 7")]
    assert changes(repository / "specs" / "a.yaml") == [("train.epochs", "5 → 7")]


def test_a_file_that_is_gone_and_one_behind_a_link(repository):
    (repository / "specs" / "b.yaml").symlink_to("a.yaml")
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "link")
    assert changes("HEAD:specs/b.yaml", "HEAD:specs/a.yaml") == []
    (repository / "specs" / "a.yaml").rename(repository / "specs" / "c.yaml")
    assert changes("HEAD~1:specs/a.yaml", "specs/c.yaml") == [("train.epochs", "5 → 7")]


def test_places_of_mistakes_name_the_revision(repository):
    (repository / "specs" / "base.yaml").write_text(BASE.replace("dense", "dens"), encoding="utf-8")
    git(repository, "commit", "-aqm", "wrong")
    (repository / "specs" / "base.yaml").write_text(BASE, encoding="utf-8")
    done = dlspec_here("diff", "specs/a.yaml", cwd=repository)
    assert done.returncode == 1
    assert "HEAD:specs/base.yaml:3:" in done.stderr
    assert "model: [dens: 4, output]" in done.stderr


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("nope:specs/a.yaml", "unknown-revision", "has no revision `nope`"),
        ("-x:specs/a.yaml", "unknown-revision", "has no revision `-x`"),
        ("--output=stolen:specs/a.yaml", "unknown-revision", "has no revision `--output=stolen`"),
        ("origin/main:specs/a.yaml", "unknown-revision", "has no revision `origin/main`"),
        ("HEAD:specs/b.yaml", "file-not-found", "has no file `specs/b.yaml`"),
        (":specs/b.yaml", "file-not-found", "what is staged has no file `specs/b.yaml`"),
        ("HEAD:nowhere/b.yaml", "file-not-found", "has no file `nowhere/b.yaml`"),
        ("HEAD:../a.yaml", "no-repository", "in no git repository"),
        ("HEAD:specs", "file-unreadable", "is a folder"),
        ("HEAD:a\nb", "file-not-found", "no revision has a file"),
    ],
)
def test_what_is_not_there_is_one_message_with_a_cure(repository, name, code, words):
    if "\n" in name:
        with pytest.raises(dlspec.DataError, match=words):
            read_at("HEAD", repository / "a\nb", 9)
        return
    found, message, help = code_of(name, "specs/a.yaml")
    assert (found, words in message) == (code, True), message
    assert ("git fetch origin main" in help) == name.startswith("origin/")
    done = dlspec_here("diff", "--", name, "specs/a.yaml", cwd=repository)
    assert done.returncode == 3
    assert done.stderr.startswith(f"error[{code}]")
    assert not (repository / "stolen").exists()


def test_an_untracked_file_an_empty_repository_and_none(repository, tmp_path_factory, monkeypatch):
    (repository / "new.yaml").write_text(BASE, encoding="utf-8")
    code, _, help = code_of("new.yaml")
    assert (code, "`git add`" in help) == ("file-not-found", True)
    folder = tmp_path_factory.mktemp("empty")
    (folder / "a.yaml").write_text(BASE, encoding="utf-8")
    monkeypatch.chdir(folder)
    assert code_of("a.yaml")[0] == "no-repository"
    git(folder, "init", "-q")
    assert code_of("a.yaml")[:2] == ("unknown-revision", "the repository has no commit yet")
    monkeypatch.setenv("PATH", str(folder))
    assert code_of("a.yaml")[:2] == ("no-git", "a revision is read with git, and git is not installed")


def test_a_repository_that_git_refuses(repository, monkeypatch):
    (repository / ".git" / "config").write_text("[core\n", encoding="utf-8")
    code, message, _ = code_of("specs/a.yaml")
    assert code == "no-git"
    assert "bad config" in message


def test_a_large_file_is_not_read(repository):
    (repository / "large.yaml").write_bytes(b"#" * 9_000_000)
    git(repository, "add", "large.yaml")
    with pytest.raises(dlspec.DataError, match="9,000,000 bytes"):
        dlspec.diff(":large.yaml", "specs/a.yaml")


def test_variables_of_a_hook_do_not_lead_to_another_repository(repository, monkeypatch):
    monkeypatch.setenv("GIT_DIR", ".git")
    monkeypatch.chdir(repository / "specs")
    assert changes("a.yaml") == [("train.epochs", "5 → 7")]


def test_names_of_files_are_no_revisions(repository):
    (repository / "a:b.yaml").write_text(SPEC, encoding="utf-8")
    names = ("a:b.yaml", "C:\\specs\\a.yaml", "C:/specs/a.yaml", "specs/a.yaml", "a:")
    assert [at_revision(name) for name in names] == [None] * 5
    assert at_revision("v1.0:specs/a.yaml") == ("v1.0", "specs/a.yaml")
    assert at_revision(":a.yaml") == ("", "a.yaml")
    assert at_revision("HEAD:C:\\a.yaml") == ("HEAD", "C:\\a.yaml")


def test_one_spec_alone_must_be_a_file():
    with pytest.raises(TypeError, match="the name of a file"):
        dlspec.diff(BASE)
