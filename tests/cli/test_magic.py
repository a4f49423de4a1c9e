"""`%%dlspec` in a shell of IPython: a spec in a cell is checked, drawn or run, and mistakes are messages."""

import subprocess
import sys
from contextlib import chdir
from types import SimpleNamespace

import pandas as pd
import pytest

import dlspec

pytest.importorskip("IPython")
SPEC = """\
dlspec: 1
name: cells
data: {table: rows.csv, target: kind}
model:
  - dense: 4
  - output
train: {epochs: 2}
"""


@pytest.fixture(scope="module")
def cell(tmp_path_factory):
    """(line, text) -> what a cell prints and displays, in a folder with data."""
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output
    from traitlets.config import Config

    folder = tmp_path_factory.mktemp("notebook")
    pd.DataFrame({"a": range(60), "kind": ["low", "high"] * 30}).to_csv(folder / "rows.csv", index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IPYTHONDIR", str(folder / "ipython"))
        patch.delenv("VIRTUAL_ENV", raising=False)  # of another environment, of which IPython warns
        shell = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))

        def run(line: str, text: str = SPEC):
            with chdir(folder), capture_output() as captured:
                result = shell.run_cell(f"%%dlspec {line}\n{text}")
            shown = [output.data for output in captured.outputs]
            assert result.success
            assert "Traceback" not in captured.stdout + captured.stderr
            return SimpleNamespace(out=captured.stdout, err=captured.stderr, shown=shown, variables=shell.user_ns)

        assert shell.run_cell("%load_ext dlspec").success
        yield run
        InteractiveShell.clear_instance()


def test_check_is_what_validate_prints(cell):
    done = cell("")
    assert done.out == "cell: fine\n"
    assert "`rows.csv`" in done.err
    done = cell("check", SPEC.replace("dense: 4", "dense: -4"))
    assert "cell:5:12: error[out-of-range]" in done.err
    assert "  |            ^^\n" in done.err
    assert "error[out-of-range]" in cell("-s model.0.dense=-4").err


def test_draw_displays_the_network(cell):
    done = cell("draw -s model.0.dense=7")
    (shown,) = done.shown
    assert "<svg" in shown["text/html"]
    assert "dense: 7" in shown["text/plain"]
    done = cell("draw", SPEC.replace("dense", "dens"))
    assert (done.shown, "error[unknown-layer]" in done.err) == ([], True)


def test_run_trains_shows_the_run_and_keeps_it_as_a_variable(cell, tmp_path):
    done = cell(f"run my_run -s train.epochs=1 --out '{tmp_path / 'run'}'")
    run = done.variables["my_run"]
    assert isinstance(run, dlspec.Run)
    assert run.folder == tmp_path / "run"
    assert "fine_tune 1/1  loss" in done.out
    (shown,) = done.shown
    assert run.metrics.verdict.sentence.replace("`", "") in shown["text/html"]
    assert run.metrics.verdict.sentence in shown["text/plain"]
    assert run.environment.command.startswith("%%dlspec run my_run")
    done = cell(f"run my_run --out '{tmp_path / 'other'}'", SPEC.replace("rows.csv", "gone.csv"))
    assert "error[data-not-found]" in done.err
    assert "`my_run` is what it was before this cell" in done.err
    assert done.variables["my_run"] is run


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("train", "No such command 'train'"),
        ("run 2nd", "`2nd` cannot be the name of one"),
        ("run class", "`class` cannot be the name of one"),
        ("check -s epochs", "'epochs' is no KEY=VALUE"),
        ("run 'a", "No closing quotation"),
    ],
)
def test_wrong_use_is_a_message(cell, line, said):
    done = cell(line)
    assert said in done.err
    assert "%%dlspec" in done.err


def test_help_tells_the_words(cell):
    assert {"check", "draw", "run"} <= {*cell("--help").out.split()}


def test_a_stopped_run_says_how_it_goes_on(cell, tmp_path, monkeypatch):
    from dlspec.cli.progress import PlainLines

    def interrupted(self, stage, row):
        raise KeyboardInterrupt

    monkeypatch.setattr(PlainLines, "epoch_ends", interrupted)
    done = cell(f"run stopped_run --out '{tmp_path / 'run'}'")
    assert f'dlspec.resume("{tmp_path / "run"}")' in done.err
    assert "stopped_run" not in done.variables


def test_importing_dlspec_loads_neither_the_magic_nor_ipython():
    script = "import dlspec, sys; dlspec.load_ipython_extension; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not {"IPython", "click", "dlspec.cli"} & {*done.stdout.split()}
