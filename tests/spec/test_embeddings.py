"""`category: {embedding: n}`: words become numbers that are trained, by layers that dlspec writes."""

import numpy as np
import pandas as pd
import pytest

import dlspec
from dlspec.runs.job import load_data
from tests.conftest import problems_of
from tests.preloaded import preloaded

TEXT = """\
dlspec: 1
name: ratings
data:
  table: ratings.csv
  target: stars
  features:
    user: {category: {embedding: 4}}
    film: {category: {embedding: 3, most: 12}}
    age: numeric
model:
  - dense: {units: 32, activation: relu}
  - output
train: {epochs: 40, optimizer: {adam: 0.01}}
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ratings")
    random = np.random.default_rng(0)
    user, film = random.integers(0, 25, 3000), random.integers(0, 15, 3000)
    likes, has = random.normal(size=(25, 2)), random.normal(size=(15, 2))
    stars = (likes[user] * has[film]).sum(axis=1)
    table = pd.DataFrame({"user": [f"u{i}" for i in user], "film": 100 + film, "stars": stars.round(3)})
    table["age"] = random.uniform(18, 80, 3000).round(1)
    table.to_csv(folder / "ratings.csv", index=False)
    return folder


def spec_of(home, text=TEXT, **overrides):
    (home / "s.yaml").write_text(text, encoding="utf-8")
    return dlspec.load(home / "s.yaml", overrides=overrides)


@pytest.fixture(scope="module")
def run(home):
    return dlspec.run(spec_of(home), out=home / "run")


def test_layers_are_written_for_each_embedding(home):
    graph = dlspec.graph(spec_of(home))
    assert [given.name for given in graph.inputs] == ["user_code", "film_code", "others"]
    assert graph["embedding_1"].parameters == (25 + 2) * 4
    assert graph["embedding_2"].parameters == (12 + 2) * 3, "the twelve most frequent, no word, and an unknown one"
    assert graph["features"].output_shape == (None, 4 + 3 + 1)
    assert graph["dense_1"].inputs == ("features",)


def test_words_that_only_go_together_are_learned(run, home):
    assert run.metrics.verdict.outcome == "better"
    assert run.metrics.test["rmse"] < 0.6 * run.metrics.baselines["linear"]["rmse"], "it sees each word alone"
    linear = run.metrics.baselines["linear"]["rmse"]
    assert linear < run.metrics.baselines["mean"]["rmse"], "and it does see words"


@pytest.mark.slow
def test_the_saved_model_takes_words_in_a_fresh_process(run, home):
    rows = pd.DataFrame({"user": ["u3", "new", "u7"], "film": [104, 104, 999], "age": [30.0, 40.0, 50.0]})
    with pytest.warns(UserWarning, match="1 of 3 words in `user` were not in the training data"):
        expected = run.predict(rows)["stars"].to_numpy()
    code = (
        "import sys, keras, numpy as np\n"
        "model = keras.models.load_model(sys.argv[1], safe_mode=True)\n"
        "columns = {'user': ['u3', 'new', 'u7'], 'film': ['104', '104', '999']}\n"
        "raw = {name: np.array(words, object)[:, None] for name, words in columns.items()}\n"
        "raw['age'] = np.array([[30.0], [40.0], [50.0]], 'float32')\n"
        "import tensorflow as tf\n"
        "raw = {name: tf.constant(values) for name, values in raw.items()}\n"
        "print(*model(raw).numpy()[:, 0].tolist())\n"
    )
    done = preloaded("keras").run("-c", code, run.folder / "model.keras")
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose([float(value) for value in done.stdout.split()], expected, rtol=1e-5)


@pytest.mark.parametrize("cache", ["memory", "none"])
def test_codes_are_by_frequency_in_the_training_part(home, cache):
    data = load_data(spec_of(home, **{"data.cache": cache}))
    codes, rows = np.asarray(data.train.inputs)[:, 1], np.asarray(data.train.rows)
    words = pd.read_csv(home / "ratings.csv")["film"].astype(str)[rows]
    counts = words.value_counts().sort_index().sort_values(ascending=False, kind="stable")
    for code, word in enumerate(counts.index[:12], start=2):
        assert set(words[codes == code]) == {word}
    assert set(words[codes == 1]) == set(counts.index[12:]), "the rest is unknown"
    held_out = pd.read_csv(home / "ratings.csv")["film"].astype(str)[np.asarray(data.test.rows)]
    of_word = {word: code for code, word in enumerate(counts.index[:12], start=2)}
    np.testing.assert_array_equal(np.asarray(data.test.inputs)[:, 1], [of_word.get(word, 1) for word in held_out])


@pytest.mark.slow
def test_the_resolved_spec_says_the_layers_and_runs_again(run, home):
    text = run.resolved_text
    assert "codes: true" in text
    assert "from: [user_vector, film_vector, others]" in text
    again = dlspec.run(run.folder / "resolved.yaml", out=home / "again")
    assert again.metrics.test == run.metrics.test
    assert run.graph.parameters == dlspec.graph(run.spec).parameters


def test_other_forms_of_a_model(home):
    one = TEXT.replace("    film: {category: {embedding: 3, most: 12}}\n    age: numeric\n", "")
    graph = dlspec.graph(spec_of(home, one))
    assert graph["dense_1"].inputs == ("user_vector",), "nothing to put together"
    mapping = TEXT.replace("model:\n  - dense", "model:\n layers:\n  - dense")
    assert dlspec.graph(spec_of(home, mapping)).parameters == dlspec.graph(spec_of(home)).parameters
    taken = TEXT.replace("relu}", "relu, name: features}").replace(
        "- output", "- concatenate: {from: [features, input]}\n  - output"
    )
    graph = dlspec.graph(spec_of(home, taken))
    assert graph["features_2"].output_shape == (None, 8)
    assert graph["concatenate_1"].inputs == ("features", "features_2"), "`input` is where all features come together"
    changed = spec_of(home, **{"data.features.user.category.embedding": 9})
    assert dlspec.graph(changed)["embedding_1"].output_shape == (None, 1, 9)


def test_many_words_are_cut_at_a_thousand(tmp_path):
    table = pd.DataFrame({"id": [f"w{i % 1300}" for i in range(4000)], "y": np.arange(4000.0)})
    table.to_csv(tmp_path / "ratings.csv", index=False)
    for most, words in ((None, 1000), (1200, 1200), (50, 50)):
        more = f", most: {most}" if most else ""
        features = f"{{id: {{category: {{embedding: 2{more}}}}}}}"
        data = f"data: {{table: ratings.csv, target: y, features: {features}}}"
        spec = spec_of(tmp_path, f"dlspec: 1\n{data}\nmodel: [output]\n")
        assert dlspec.graph(spec)["embedding_1"].parameters == 2 * (words + 2)
        assert np.asarray(load_data(spec).train.inputs).max() == words + 1


def test_a_missing_word_has_a_vector_of_its_own(tmp_path):
    table = pd.DataFrame({"id": ["a", "b", ""] * 40, "y": [1.0, 2.0, 5.0] * 40})
    table.to_csv(tmp_path / "ratings.csv", index=False)
    text = (
        "dlspec: 1\n"
        "data: {table: ratings.csv, target: y, missing: median, features: {id: {category: {embedding: 2}}}}\n"
        "model: [output]\ntrain: {epochs: 150, optimizer: {adam: 0.05}}\n"
    )
    run = dlspec.run(spec_of(tmp_path, text), out=tmp_path / "run")
    predicted = run.predict(pd.DataFrame({"id": ["a", "b", "", None]}))["y"]
    np.testing.assert_allclose(predicted, [1, 2, 5, 5], atol=0.2)


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        (("embedding: 4", "embedding: 0"), "out-of-range", "`embedding` must be at least 1"),
        (("embedding: 4", "embedding: four"), "wrong-type", "`embedding` must be a whole number"),
        (("embedding: 4", "embedding: 4, codes: true"), "wrong-value", "`embedding` looks up `codes` itself"),
        (("embedding: 4", "embeding: 4"), "unknown-key", "unknown key `embeding`"),
        (("embedding: 4", "codes: true"), "wrong-value", "`user` shows numbers of words, and cannot stand beside"),
        (("user: {", "age2: {"), "unknown-column", "no column `age2`"),
        (("user:", "age: {category: {embedding: 2}}\n    user:"), "repeated-key", "age"),
    ],
)
def test_mistakes_are_found_where_they_stand(home, change, code, says):
    text = TEXT.replace(*change).removeprefix("dlspec: 1\nname: ratings\n")
    found = [problem for problem in problems_of(text, home) if problem.is_error]
    assert code in [problem.code for problem in found], found
    assert any(says in problem.message for problem in found), found


def test_a_model_with_inputs_writes_its_own_embedding(home):
    inputs = "model:\n inputs: {who: user, rest: [film, age]}\n layers:\n  - flatten: {from: who}\n"
    own = TEXT.replace("model:\n", inputs + "  - concatenate: {from: [flatten_1, rest]}\n")
    (problem,) = problems_of(own.removeprefix("dlspec: 1\nname: ratings\n").replace("embedding: 3, ", ""), home)
    assert problem.message == "`embedding` gives `user` an input of its own, and this model names its inputs"
    assert "codes: true" in problem.help
    text = own.replace("embedding: 4", "codes: true").replace("embedding: 3, ", "")
    text = text.replace("- flatten: {from: who}", "- embedding: {output_dim: 4, from: who}\n  - flatten")
    graph = dlspec.graph(spec_of(home, text))
    assert graph["embedding_1"].parameters == 27 * 4
    assert graph["concatenate_1"].output_shape == (None, 4 + 12 + 1)


def test_a_series_has_no_embedding(tmp_path):
    frame = pd.DataFrame({"who": ["a", "b"] * 60, "x": np.arange(120.0)})
    frame.to_csv(tmp_path / "ratings.csv", index=False)
    text = (
        "data: {series: ratings.csv, target: x, window: {length: 5}, "
        "features: {who: {category: {embedding: 2}}, x: numeric}}\nmodel: [{lstm: 2}, output]\n"
    )
    assert {problem.code for problem in problems_of(text, tmp_path)} == {"only-for-samples"}


def test_an_output_may_take_the_features_too(home):
    outputs = " layers:\n  - dense: 3\n outputs: {stars: {target: stars, from: input}}\ntrain:"
    text = TEXT.replace("  - dense: {units: 32, activation: relu}\n  - output\ntrain:", outputs)
    graph = dlspec.graph(spec_of(home, text))
    assert graph["stars"].inputs == ("features",)
