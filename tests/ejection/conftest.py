"""What the tests of written scripts share."""

import pytest

from tests.ejection.written import MODEL, written


@pytest.fixture
def case_of(tmp_path):
    """Writes files and a spec, and ejects that."""

    def make(files, data, model=MODEL):
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        spec = tmp_path / "spec.yaml"
        spec.write_text(f"dlspec: 1\nname: people\ndata:\n{data}\n{model}", encoding="utf-8")
        return written(spec, tmp_path / "out")

    return make
