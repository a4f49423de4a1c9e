"""dlspec: deep learning from a YAML file.

Example:
    >>> import dlspec
    >>> spec = dlspec.load("specs/spiral_mlp.yaml", overrides={"train.epochs": 5})
    >>> dlspec.graph(spec).parameters
    465
"""

from dlspec._version import __version__

_HOMES = {
    "init": "dlspec.api",
    "adopt": "dlspec.adoption",
    "load": "dlspec.api",
    "validate": "dlspec.api",
    "graph": "dlspec.api",
    "plan": "dlspec.api",
    "diff": "dlspec.api",
    "columns": "dlspec.api",
    "draw": "dlspec.conversion",
    "examine": "dlspec.editor.examining",
    "complete": "dlspec.editor.completion",
    "explain_at": "dlspec.editor.hover",
    "fix": "dlspec.editor.fixing",
    "resolve": "dlspec.api",
    "explain": "dlspec.api",
    "schema": "dlspec.api",
    "doctor": "dlspec.api",
    "load_plugin": "dlspec.api",
    "build": "dlspec.api",
    "run": "dlspec.api",
    "rehearse": "dlspec.api",
    "resume": "dlspec.api",
    "stop": "dlspec.runs.stopping",
    "replay": "dlspec.api",
    "compare": "dlspec.api",
    "report": "dlspec.api",
    "predict": "dlspec.api",
    "evaluate": "dlspec.api",
    "export": "dlspec.api",
    "eject": "dlspec.conversion",
    "generate": "dlspec.conversion",
    "serve": "dlspec.deployment.serve",
    "filters": "dlspec.api",
    "list_runs": "dlspec.runs.listing",
    "open_run": "dlspec.api",
    "Adopted": "dlspec.adoption",
    "Run": "dlspec.runs",
    "RunSummary": "dlspec.runs.listing",
    "Replay": "dlspec.runs",
    "Evaluated": "dlspec.runs.evaluating",
    "RunComparison": "dlspec.views.comparison",
    "Listener": "dlspec.runs.listener",
    "Graph": "dlspec.model.graph",
    "Plan": "dlspec.training.plan",
    "SpecDiff": "dlspec.views.difference",
    "Spec": "dlspec.spec.spec",
    "Diagnostic": "dlspec.language.diagnostics",
    "Edit": "dlspec.language.diagnostics",
    "Completion": "dlspec.editor.completion",
    "Examined": "dlspec.editor.examining",
    "Fix": "dlspec.language.diagnostics",
    "Fixed": "dlspec.editor.fixing",
    "Hover": "dlspec.editor.hover",
    "SpecError": "dlspec.language.diagnostics.errors",
    "DataError": "dlspec.language.diagnostics.errors",
    "TrainingError": "dlspec.language.diagnostics.errors",
    "Stopped": "dlspec.training.progress",
}

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> object:
    """Loads a public name on first use, so that `import dlspec` costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'dlspec' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)


def load_ipython_extension(shell: object) -> None:
    """`%load_ext dlspec` in IPython and Jupyter: the cell magic `%%dlspec`."""
    from dlspec.cli.magic import register

    register(shell)
