"""Nothing outside of the folder is read or written."""

import shutil

import pytest

from dlspec.studio.root import Outside, Root
from tests.studio.servers import SPIRALS


@pytest.fixture
def root(tmp_path):
    (tmp_path / "secret.yaml").write_text("dlspec: 1\n", encoding="utf-8")
    folder = tmp_path / "root"
    (folder / "below").mkdir(parents=True)
    (folder / "a.yaml").write_text(SPIRALS, encoding="utf-8")
    (folder / "below" / "b.yml").write_text(SPIRALS, encoding="utf-8")
    (folder / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    (folder / "out").symlink_to(tmp_path)
    (folder / "inside.yaml").symlink_to(folder / "a.yaml")
    return Root(folder)


@pytest.mark.parametrize(
    "path",
    [
        "", ".", "..", "../secret.yaml", "below/../../secret.yaml", "/etc/passwd", "//etc/passwd", "a//b", "a/",
        ".git/config", ".dlspec-studio/jobs/x.json", "below/.hidden", "a\0.yaml", "a\n.yaml", "C:\\x", "C:x",
        "a\\..\\b", "link.yaml", "out/secret.yaml", "out/new.yaml", "NUL:", "a|b",
    ],
)  # fmt: skip
def test_paths_that_lead_out_are_refused(root, path):
    with pytest.raises(Outside):
        root.path(path)


@pytest.mark.parametrize(
    "path", ["a.yaml", "new.yaml", "below/b.yml", "below/deeper/new.yaml", "스펙.yaml", "inside.yaml"]
)
def test_paths_inside_are_taken(root, path):
    assert root.path(path).is_relative_to(root.folder)


def test_specs_are_listed_and_those_of_runs_are_not(root):
    run = root.runs / "x" / "001"
    run.mkdir(parents=True)
    (run / "spec.yaml").write_text(SPIRALS, encoding="utf-8")
    (root.folder / ".hidden").mkdir()
    (root.folder / ".hidden" / "c.yaml").write_text(SPIRALS, encoding="utf-8")
    assert root.specs() == ["a.yaml", "inside.yaml", "link.yaml", "below/b.yml"]


def test_the_server_reads_and_writes_specs_of_its_folder_alone(studio, tmp_path):
    (tmp_path / "secret.yaml").write_text("secret: 1\n", encoding="utf-8")
    (studio.folder / "leads_out.yaml").symlink_to(tmp_path / "secret.yaml")
    (studio.folder / "notes.txt").write_text("mine", encoding="utf-8")
    with studio.client() as client:
        for name in ("../secret.yaml", "leads_out.yaml", str(tmp_path / "secret.yaml")):
            for path, more in (("read", {}), ("write", {"text": "x", "anyway": True})):
                answer = client.post(f"/api/files/{path}", json={"file": name, **more})
                assert answer.status_code == 403, (name, path)
        assert (tmp_path / "secret.yaml").read_text(encoding="utf-8") == "secret: 1\n"
        for name in ("notes.txt", "runs/x/001/spec.yaml", "run.py"):
            assert client.post("/api/files/write", json={"file": name, "text": "x"}).status_code == 422
        assert client.post("/api/files/read", json={"file": "notes.txt"}).status_code == 422
        for path in ("show", "stop", "resume", "report"):
            assert client.post(f"/api/runs/{path}", json={"run": "../.."}).status_code == 403
        assert client.get("/api/stream", params={"run": "../../x"}).status_code == 403
    (studio.folder / "leads_out.yaml").unlink()


def test_a_run_whose_files_lead_elsewhere_is_not_shown(studio, tmp_path, tiny_run):
    """A run folder of somebody else may hold links."""
    (tmp_path / "secret.yaml").write_text("secret: 1\n", encoding="utf-8")
    home = studio.folder / "runs" / "theirs"
    shutil.copytree(tiny_run("table").folder, home / "001")
    (home / "001" / "spec.yaml").unlink()
    (home / "001" / "spec.yaml").symlink_to(tmp_path / "secret.yaml")
    (home / "002").symlink_to(tiny_run("table").folder)
    assert [run for run in studio.ask("/api/runs")["runs"] if run["name"].startswith("theirs")] == []
    with studio.client() as client:
        for number in ("001", "002"):
            assert client.post("/api/runs/show", json={"run": f"theirs/{number}"}).status_code == 403
            assert client.get("/api/stream", params={"run": f"theirs/{number}"}).status_code == 403
    shutil.rmtree(home)


def test_a_file_that_another_program_changed_is_not_overwritten(studio):
    first = studio.ask("/api/files/write", file="mine.yaml", text=SPIRALS, mark=None)
    again = studio.ask("/api/files/write", file="mine.yaml", text=SPIRALS + "# 1\n", mark=first["mark"])
    (studio.folder / "mine.yaml").write_text("other", encoding="utf-8")
    with studio.client() as client:
        refused = client.post("/api/files/write", json={"file": "mine.yaml", "text": "x", "mark": again["mark"]})
        assert refused.status_code == 409
        new = client.post("/api/files/write", json={"file": "mine.yaml", "text": "x", "mark": None})
        assert new.status_code == 409
    studio.ask("/api/files/write", file="mine.yaml", text=SPIRALS, mark=None, anyway=True)
    assert (studio.folder / "mine.yaml").read_text(encoding="utf-8") == SPIRALS
    assert "mine.yaml" in studio.ask("/api/files")["files"]


@pytest.mark.parametrize("places", [("data: {table: PATH}", "data-unreadable"), ("extends: PATH", "outside-folder")])
def test_a_spec_that_names_a_file_elsewhere_does_not_get_it(studio, tmp_path, places):
    """The process that checks may open files of the folder alone, and says so on the line that names another."""
    line, code = places
    secret = tmp_path / "secret.csv"
    secret.write_text("password,y\nhunter2,1\n" * 30, encoding="utf-8")
    text = f"dlspec: 1\n{line.replace('PATH', str(secret))}\nmodel: [dense: 3, output]\ntrain: {{epochs: 1}}\n"
    found = studio.ask("/api/check", text=text, file="a.yaml")
    assert "password" not in str(found)
    assert code in [each["code"] for each in found["diagnostics"]]
    with studio.client() as client:
        assert client.post("/api/runs/train", json={"text": text, "file": "a.yaml"}).status_code == 422


def test_a_link_to_data_elsewhere_is_not_followed(studio, tmp_path):
    (tmp_path / "secret.csv").write_text("password,y\nhunter2,1\n" * 30, encoding="utf-8")
    (studio.folder / "linked.csv").symlink_to(tmp_path / "secret.csv")
    (studio.folder / "own.csv").write_text("a,y\n1,2\n" * 30, encoding="utf-8")
    text = "dlspec: 1\ndata: {table: linked.csv, target: y}\nmodel: [dense: 3, output]\n"
    found = studio.ask("/api/check", text=text, file="a.yaml")
    assert "data-unreadable" in [each["code"] for each in found["diagnostics"]]
    own = studio.ask("/api/check", text=text.replace("linked", "own"), file="a.yaml")
    assert own["network"]["boxes"][0]["shape"] == "(batch, 1)"
    for name in ("linked.csv", "own.csv"):
        (studio.folder / name).unlink()
