"""Texts whose words have tags: what is read, how words and tags are cut, and what is wrong with a spec of them."""

import numpy as np
import pytest

import dlspec
from dlspec.data.features.text import AS_THEY_ARE, split_tokens
from dlspec.data.preparation.tags import NO_TAG
from dlspec.data.source_of import source_of
from dlspec.language.diagnostics.errors import DataError
from dlspec.runs.job import find_oddities, load_data

SPEC = """\
dlspec: 1
data:
  table: notes.csv
  target: {tags: {sequence: " "}}
  features: {said: {text: {length: 5}}}
model:
  - embedding: 4
  - gru: {units: 5, return_sequences: true}
  - output
train: {epochs: 1}
"""
ROWS = [
    ("Ann met May.", "B-PER O B-PER"),
    ("in  May\t, ann", "O B-DATE O B-PER"),
    ("May Hill , in May 2020 !", "B-PER I-PER O O B-DATE I-DATE O"),
    ("no", "O"),
] * 10


def table(rows=ROWS):
    return "said,tags\n" + "".join(f'"{said}","{tags}"\n' for said, tags in rows)


@pytest.fixture
def notes(tmp_path):
    """Writes a table and a spec, and gives the path of the spec."""

    def make(rows=ROWS, spec=SPEC):
        (tmp_path / "notes.csv").write_text(table(rows), encoding="utf-8", newline="")
        (tmp_path / "spec.yaml").write_text(spec, encoding="utf-8")
        return tmp_path / "spec.yaml"

    return make


def test_each_word_has_the_tag_that_stands_in_its_place(notes):
    data = load_data(dlspec.load(notes()))
    target, (column,) = data.signature.target, data.preprocessing.columns
    assert data.signature.task == "tagged_words"
    assert target.classes == ("B-DATE", "B-PER", "I-DATE", "I-PER", "O")
    assert target.places == (5,)
    assert {"May.", "May", "Ann", "ann"} <= {*column.vocabulary}
    known = ["", "?", *column.vocabulary]
    for part in (data.train, data.validation, data.test):
        for row, inputs, truth in zip(part.rows, part.inputs.astype(int), part.truth, strict=True):
            said, tags = ROWS[row]
            words, tags = said.split()[:5], tags.split()[:5]
            assert [known[number] for number in inputs if number] == words
            assert [target.classes[tag] for tag in truth if tag != NO_TAG] == tags
            assert (truth[len(words) :] == NO_TAG).all()
        assert (part.targets >= 0).all()
        assert np.array_equal(part.targets[part.truth >= 0], part.truth[part.truth >= 0])
    counts = sum(part.class_counts(5) for part in (data.train, data.validation, data.test))
    assert counts.tolist() == [20, 40, 0, 10, 60]  # `I-DATE` lies behind the fifth word


def test_texts_are_cut_as_keras_cuts_them():
    import keras
    import tensorflow as tf

    texts = ["Ann  met, May!", "\tx\n y\r\f\vz ", "", "a\u00a0b c\u3000d \u2028 e\x1cf", "A\x00b [UNK] ö", "日本 語"]
    words = sorted({word.decode() for text in texts for word in split_tokens(text, "spaced")} - {"[UNK]"})
    layer = keras.layers.TextVectorization(
        output_mode="int", output_sequence_length=8, vocabulary=words, **AS_THEY_ARE["spaced"]
    )
    found = np.asarray(layer(tf.constant([[text] for text in texts])))
    for text, numbers in zip(texts, found, strict=True):
        own = [word.decode() for word in split_tokens(text, "spaced")]
        assert [layer.get_vocabulary()[number] for number in numbers if number] == own


def test_a_word_that_is_called_as_keras_calls_unknown_ones_is_one(notes):
    rows = [(f"[UNK] {said}", f"O {tags}") for said, tags in ROWS]
    data = load_data(dlspec.load(notes(rows)))
    assert "[UNK]" not in data.preprocessing.columns[0].vocabulary
    assert (np.asarray(data.train.inputs)[:, 0] == 1).all()


def test_rows_with_other_numbers_of_words_and_tags_are_counted_and_named(notes):
    rows = [*ROWS[:4], ("Ann met Tom", "O O"), *ROWS, ("one", "O O"), ("a b", "O"), ("c d", "O O O")]
    spec = dlspec.load(notes(rows))
    with pytest.raises(DataError) as error:
        load_data(spec)
    (problem,) = error.value.diagnostics
    assert problem.code == "tags-differ"
    assert problem.span.line == 4
    assert problem.message == (
        "4 rows have not as many tags in `tags` as words in `said`: row 5 has 3 words and 2 tags; row 46 has 1 word "
        "and 2 tags; row 47 has 2 words and 1 tag; and 1 more"
    )


def test_of_several_files_the_file_is_named(tmp_path):
    (tmp_path / "one.csv").write_text(table(), encoding="utf-8")
    (tmp_path / "two.csv").write_text(table([*ROWS[:4], ("a b", "O")]), encoding="utf-8")
    spec = SPEC.replace("notes.csv", "[one.csv, two.csv]")
    (tmp_path / "spec.yaml").write_text(spec, encoding="utf-8")
    with pytest.raises(DataError, match=r"row 45 has 2 words and 1 tag, which is row 5 of `two.csv`"):
        load_data(dlspec.load(tmp_path / "spec.yaml"))


def test_a_missing_text_or_tag_is_an_error_or_left_out(notes):
    rows = [*ROWS, ("", "O"), ("a b", "")]
    with pytest.raises(DataError) as error:
        load_data(dlspec.load(notes(rows)))
    assert [problem.code for problem in error.value.diagnostics] == ["missing-value"] * 2
    data = load_data(dlspec.load(notes(rows, SPEC.replace("  target", "  missing: drop\n  target"))))
    assert sum(map(len, (data.train, data.validation, data.test))) == len(ROWS)


def test_the_training_part_says_which_tags_there_are(notes):
    rows = [*ROWS, *[("in Rome", "O B-LOC")] * 3, *ROWS[:8]]
    spec = dlspec.load(notes(rows, SPEC.replace("  target", "  split: {by: order, test: 11, validation: 8}\n  target")))
    data = load_data(spec)
    assert "B-LOC" not in data.signature.target.classes
    assert data.unknown_labels == {"B-LOC": 3}
    assert len(data.test) == 8
    found = {problem.code: problem.message for problem in find_oddities(spec, data)}
    assert (
        "have a tag of `tags` that the training part does not have, and are left out: `B-LOC`" in found["unknown-label"]
    )


def test_what_is_cut_and_what_is_never_learned_is_said_before_training(notes):
    rows = [*ROWS, *[(f"word{i} {i}", "O O") for i in range(40)]]
    spec = dlspec.load(notes(rows))
    data = load_data(spec)
    found = {problem.code: problem for problem in find_oddities(spec, data)}
    assert found["texts-cut"].message == (
        "10 of 80 texts of `said` have more than 5 words, and the tags of 20 words beyond are neither learned nor "
        "judged"
    )
    assert "`length: 7`" in found["texts-cut"].help
    unknown = int((np.asarray(data.test.inputs) == 1).sum())
    assert found["unknown-tokens"].message.startswith(f"{unknown} of ")
    _, counts = np.unique(np.asarray(data.train.inputs)[np.asarray(data.train.inputs) > 0], return_counts=True)
    again = f"`words: {(counts > 1).sum()}`"
    assert again in found["unknown-tokens"].help
    spec = dlspec.load(notes(rows, SPEC.replace("length: 5", f"length: 7, {again.strip('`')}")))
    codes = {problem.code for problem in find_oddities(spec, load_data(spec))}
    assert not codes & {"texts-cut", "unknown-tokens"}


def test_sentences_on_both_sides_of_the_split_are_said(notes):
    rows = [(f"Ann met May {i} times", "B-PER O B-PER O O") for i in range(40)]
    codes = {problem.code for problem in find_oddities(*both(notes(rows)))}
    assert "duplicate-rows" not in codes  # though all numbers but few are the same unknown word
    found = {problem.code: problem.message for problem in find_oddities(*both(notes(rows[:20] * 3)))}
    assert "samples of the test part stand in the training part too" in found["duplicate-rows"]
    codes = {problem.code for problem in find_oddities(*both(notes(rows[:5] * 12)))}
    assert "target-leak" not in codes  # that a text says its tags is what is learned


def test_tags_that_are_taken_for_classes_are_said(notes):
    spec = SPEC.replace('{tags: {sequence: " "}}', "tags").replace(", return_sequences: true", "")
    rows = [*ROWS, *[("one two", "O O")] * 4]
    found = {problem.code: problem for problem in find_oddities(*both(notes(rows, spec)))}
    assert found["tags-as-classes"].message == (
        "`tags` has as many words in each row as `said`, and each of its 5 different values is taken for one class"
    )
    assert '`target: {tags: {sequence: " "}}`' in found["tags-as-classes"].help
    assert "tags-as-classes" not in {problem.code for problem in find_oddities(*both(notes(rows)))}
    other = {problem.code for problem in find_oddities(*both(notes([*rows[:-1], ("one two", "O")], spec)))}
    assert "tags-as-classes" not in other


def both(path):
    """A spec and its data."""
    spec = dlspec.load(path)
    return spec, load_data(spec)


def test_numbers_are_words_too(notes):
    rows = [("1 2 3", "7 8 8"), ("2", "8"), ("1,5 3", "7 7")] * 10
    data = load_data(dlspec.load(notes(rows)))
    assert data.signature.target.classes == ("7", "8")
    assert {"1", "2", "3", "1,5"} == {*data.preprocessing.columns[0].vocabulary}
    assert data.train.targets.shape == (len(data.train), 5, 1)


def test_rows_that_are_not_all_in_memory_are_no_way_here(notes):
    found = dlspec.validate(notes(spec=SPEC.replace("  target", "  cache: none\n  target")))
    assert "needs-memory" in [problem.code for problem in found]


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        (('sequence: " "', 'sequence: ","'), "wrong-value", "a space"),
        (('{sequence: " "}', "{sequences: x}"), "wrong-value", "`target` takes columns with a type"),
        (("target: {tags:", "target: {tag:"), "unknown-column", "no column `tag`"),
        (("{text: {length: 5}}", "{text: {words: 20}}"), "missing-key", "how many words"),
        (("  features: {said: {text: {length: 5}}}\n", ""), "missing-key", "how many words"),
        (("features: {said: {text: {length: 5}}}", "features: [said]"), "missing-key", "how many words"),
        (("{length: 5}", "{length: 5, tokens: characters}"), "wrong-value", "cuts `said` otherwise"),
        (("{length: 5}", "{length: 5, tokens: words}"), "wrong-value", "cuts `said` otherwise"),
        (("{said: {text: {length: 5}}}", "{said: {text: {length: 5}}, tags: {text: {length: 5}}}"),
         "target-among-features", ""),
        (("gru: {units: 5, return_sequences: true}", "gru: 5"), "output-mismatch", "at each place"),
        (("  - output", "  - dense: {units: 5, activation: linear}"), "output-mismatch", "probabilities"),
        (("  target", "  split: {by: stratified}\n  target"), "wrong-split", "one at each place"),
        (("train:", "evaluate: {metrics: [span_f1, span_f1]}\ntrain:"), "repeated-name", "twice"),
        (("train:", "evaluate: {metrics: [mae]}\ntrain:"), "metric-mismatch", "for numbers"),
        (("train:", "evaluate: {baselines: [place_majority]}\ntrain:"), "baseline-mismatch", "a tag for each word"),
        (("train:", "train: {loss: mse}\n#"), "loss-mismatch", ""),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(notes, change, code, says):
    found = dlspec.validate(notes(spec=SPEC.replace(*change)))
    assert code in [problem.code for problem in found if problem.is_error]
    assert says in next(problem.message for problem in found if problem.code == code)
    assert all(problem.help for problem in found if problem.code == code)


def test_spans_need_tags_that_mark_them(notes):
    rows = [(said, " ".join("NOUN" if tag != "O" else "VERB" for tag in tags.split())) for said, tags in ROWS]
    plain = dlspec.resolve(notes(rows))
    assert "f1_score" in plain
    assert "span_f1" not in plain
    (found,) = dlspec.validate(notes(rows, SPEC.replace("train:", "evaluate: {metrics: [span_recall]}\ntrain:")))
    assert found.code == "metric-mismatch"
    assert "`tags` has `NOUN`" in found.message
    (tmp,) = dlspec.validate(
        notes(spec="dlspec: 1\ndata: {dataset: iris}\nmodel: [dense: 4, output]\nevaluate: {metrics: [span_f1]}\n")
    )
    assert "`span_f1` is for tags of words, and `species` is a class" in tmp.message


def test_one_tag_is_nothing_to_tell_apart(notes):
    (found,) = dlspec.validate(notes([("a b", "O O")] * 20))
    assert found.code == "one-class"
    assert "one tag, `O`" in found.message


def test_a_text_as_it_stands_is_a_feature_of_other_targets_too(notes):
    rows = [(said, "yes" if "May" in said else "no") for said, _ in ROWS]
    spec = SPEC.replace('{tags: {sequence: " "}}', "tags").replace("length: 5", "length: 5, tokens: spaced")
    data = load_data(dlspec.load(notes(rows, spec.replace(", return_sequences: true", ""))))
    assert {"May.", "ann"} <= {*data.preprocessing.columns[0].vocabulary}
    found = dlspec.validate(notes(spec=SPEC.replace("length: 5", "tokens: spaced")))
    assert "`tokens: spaced` is of a sequence" in found[0].message
    written = SPEC.replace('{tags: {sequence: " "}}', "{said: next}").replace("length: 5", "length: 5, tokens: spaced")
    (found,) = dlspec.validate(notes(spec=written))
    assert "what is written on are `words` or `characters`" in found.message


def test_the_defaults_say_how_the_text_is_cut_and_run_again(notes):
    path = notes()
    resolved = dlspec.resolve(path)
    assert "tokens: spaced" in resolved
    for name in ("span_f1", "span_precision", "span_recall", "word_majority"):
        assert name in resolved
    path.write_text(resolved, encoding="utf-8")
    assert not dlspec.validate(path)
    said = [
        [line.partition("#")[0].rstrip() for line in text.splitlines()] for text in (resolved, dlspec.resolve(path))
    ]
    assert said[0] == said[1]


def test_what_is_predicted_is_told_in_both_languages(notes):
    assert "a tag in `tags` for each word" in dlspec.explain(notes())
    assert "낱말마다 하나씩" in dlspec.explain(notes(), language="ko")


def test_the_source_reads_tags_of_the_rows_that_count(notes):
    column = source_of(dlspec.load(notes()).data).describe().column("tags")
    assert column.kind == "tags"
    assert "I-DATE" in column.classes
