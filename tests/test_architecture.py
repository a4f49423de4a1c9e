"""Data flow one way: a module imports only from those before it, also inside functions."""

import ast
import re

from tests.conftest import ROOT

ORDER = (
    "_version", "explanations", "diagnostics", "backend", "machine", "archives", "files", "arrays", "source", "fields",
    "registry", "plugins", "parts", "layers", "composition", "datasets", "features", "splits", "targets", "sources",
    "metrics", "baselines", "stopping", "pretraining", "spec", "spec_reader", "forms", "wording", "descriptions",
    "catalogue", "json_schema", "reference", "signature", "graphs", "weights", "plans", "starting", "resolving",
    "prose", "diagrams", "estimates", "compiling", "checks", "preparation", "chance", "data_check", "building",
    "model_file", "training", "evaluation", "pictures", "runs", "reports", "deployment", "doctor", "api", "cli",
)  # fmt: skip


def imported_by(tree: ast.Module):
    """Modules of dlspec that the code imports, those for the type checker alone left out."""
    for_types = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node not in for_types and (node.module or "").startswith("dlspec."):
            yield node.module.split(".")[1], node.lineno


def test_imports_point_one_way():
    package = ROOT / "dlspec"
    for path in sorted(package.rglob("*.py")):
        module = path.relative_to(package).parts[0].removesuffix(".py")
        if module in ("__init__", "__main__"):
            continue
        assert module in ORDER, f"{module} has no place in the order"
        for other, line in imported_by(ast.parse(path.read_text(encoding="utf-8"))):
            assert ORDER.index(other) <= ORDER.index(module), f"{path.relative_to(ROOT)}:{line} imports {other}"


def test_yaml_is_read_in_one_place_and_printing_is_the_command_lines():
    for path in (ROOT / "dlspec").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "import yaml" not in text or path.parent.name == "source", path
        assert not re.search(r"(?<![\w.])print\(", text) or "cli" in path.parts, path


def test_no_module_grows_past_what_fits_in_the_head():
    for path in (ROOT / "dlspec").rglob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 600, path
