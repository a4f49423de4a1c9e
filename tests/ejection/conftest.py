"""What the tests of written scripts share."""

import pytest

from tests.ejection.written import MODEL, WRITTEN, check_style, written


@pytest.fixture(scope="session", autouse=True)
def styles(tmp_path_factory):
    """Checks the style of every script that was written, all at once."""
    yield
    folder = tmp_path_factory.mktemp("styles")
    for place, text in enumerate(WRITTEN):
        (folder / f"script_{place}.py").write_text(text, encoding="utf-8")
    check_style(folder)


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
        made.append(written(spec, tmp_path / "out"))
        return made[-1]

    made = []
    yield make
    for case in made:
        if hasattr(case.module, "ARRAYS"):  # a file that stays open as long as its script runs
            case.module.ARRAYS.close()


@pytest.fixture
def point_keras_to(monkeypatch):
    """Where dlspec and Keras, which asked the environment when it was imported, look for datasets."""
    import keras  # noqa: F401

    def point(home):
        monkeypatch.setenv("KERAS_HOME", str(home))
        monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(home))

    return point
