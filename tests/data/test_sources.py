"""Pictures, sounds, texts and arrays in files: what is read, what is wrong with a file, and training from them."""

import io
import os
import struct

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.io import wavfile

import dlspec
from dlspec.data.source_of import source_of
from dlspec.data.sources.rows import SeriesFiles, TableFiles
from dlspec.language.diagnostics.errors import DataError
from dlspec.runs.job import load_data
from tests.conftest import problems_of
from tests.trained import Training

MODEL = "model: [flatten, output]\ntrain: {epochs: 2, batch_size: 8}\n"


def spec_of(folder, data, **changes):
    text = f"dlspec: 1\nname: sources\ndata: {data}\n{MODEL}"
    (folder / "spec.yaml").write_text(text, encoding="utf-8")
    return dlspec.load(folder / "spec.yaml", overrides=changes)


def problem(folder, data):
    """The one thing that is wrong with the data."""
    with pytest.raises(DataError) as error:
        load_data(spec_of(folder, data))
    (found,) = error.value.diagnostics
    return found


def draw(random, kind, size=(12, 10), mode="RGB"):
    values = random.integers(0, 60, (*size, 3))
    values[..., ("cat", "dog").index(kind)] += 150
    return Image.fromarray(values.astype("uint8")).convert(mode)


@pytest.fixture
def pets(tmp_path):
    """24 pictures of 12 x 10 pixels in two classes."""
    random = np.random.default_rng(0)
    for kind in ("cat", "dog"):
        (tmp_path / "pets" / kind).mkdir(parents=True)
        for i in range(12):
            draw(random, kind).save(tmp_path / "pets" / kind / f"{i:02d}.png")
    return tmp_path


@pytest.fixture
def words(tmp_path):
    """16 sounds of a second in two classes."""
    random = np.random.default_rng(0)
    for kind, pitch in (("low", 200), ("high", 900)):
        (tmp_path / "words" / kind).mkdir(parents=True)
        for i in range(8):
            tone = 9000 * np.sin(2 * np.pi * pitch * np.arange(4000) / 4000) + random.normal(0, 500, 4000)
            wavfile.write(tmp_path / "words" / kind / f"{i}.wav", 4000, tone.astype("int16"))
    return tmp_path


# --- pictures


def test_a_folder_of_pictures_is_read_as_it_is(pets):
    data = load_data(spec_of(pets, "{images: pets, scale: none, split: {by: order}}"))
    assert data.signature.target.classes == ("cat", "dog")
    first = np.asarray(Image.open(pets / "pets/cat/00.png"))
    assert np.array_equal(data.train.inputs[0], first.astype("float32"))
    assert len(data.train) + len(data.validation) + len(data.test) == 24


def test_pictures_that_are_read_when_needed_train_to_the_same_weights(pets):
    runs = [
        dlspec.run(spec_of(pets, f"{{images: pets, cache: {cache}}}"), out=pets / f"run_{cache}")
        for cache in ("memory", "none")
    ]
    for one, other in zip(*(run.model.get_weights() for run in runs), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    assert runs[0].metrics.test == pytest.approx(runs[1].metrics.test, abs=1e-4)
    predicted = pets / "predicted.csv"
    assert dlspec.predict(runs[1], pets / "pets", predicted) == 24
    table = pd.read_csv(predicted)
    assert list(table.columns) == ["file", "label", "label=cat", "label=dog"]
    shares = runs[0].predict(np.stack([np.asarray(Image.open(file)) for file in table["file"]]))
    np.testing.assert_allclose(shares["label=cat"], table["label=cat"], atol=1e-5)
    one = pets / "one.csv"
    assert dlspec.predict(runs[0], pets / "pets/dog/03.png", one) == 1
    assert pd.read_csv(one)["label"].tolist() == ["dog"]


def test_pictures_of_all_forms_come_to_one_size_and_color(tmp_path):
    random = np.random.default_rng(0)
    (tmp_path / "p" / "cat").mkdir(parents=True)
    (tmp_path / "p" / "dog").mkdir()
    for i, (mode, end) in enumerate([("L", "png"), ("RGB", "jpg"), ("RGBA", "png"), ("P", "gif"), ("1", "bmp"),
                                     ("RGB", "webp"), ("RGB", "tif")]):  # fmt: skip
        draw(random, "cat", (12 + i, 20), mode).save(tmp_path / "p" / "cat" / f"{i}.{end}")
        Image.fromarray(np.full((9, 9), 200 * 256, "uint16")).save(tmp_path / "p" / "dog" / f"{i}.png")
    for fit in ("stretch", "crop", "pad"):
        for color, channels in (("rgb", 3), ("grayscale", 1)):
            data = load_data(
                spec_of(tmp_path, f"{{images: {{path: p, size: [8, 6], color: {color}, fit: {fit}}}, scale: none}}")
            )
            assert data.train.inputs.shape[1:] == (8, 6, channels)
    crop = load_data(spec_of(tmp_path, "{images: {path: p, size: 6, color: grayscale, fit: crop}, scale: none}"))
    dogs = np.concatenate([part.inputs[part.truth == 1] for part in (crop.train, crop.validation, crop.test)])
    assert np.allclose(dogs, 200, atol=1), "sixteen bits come to eight"


def test_sixteen_bits_come_to_eight_by_one_scale_and_what_has_no_scale_is_refused(tmp_path):
    """A dark picture stays dark, whichever way its file orders the bytes."""
    values = {"dark": np.full((6, 6), 240), "light": np.full((6, 6), 60_000)}
    for kind, own in values.items():
        (tmp_path / "p" / kind).mkdir(parents=True)
        for i, dtype in enumerate(("<u2", ">u2")):
            cv2.imwrite(str(tmp_path / "p" / kind / f"{i}.png"), own.astype("uint16"))
            tifffile = Image.frombytes("I;16B" if dtype == ">u2" else "I;16", (6, 6), own.astype(dtype).tobytes())
            tifffile.save(tmp_path / "p" / kind / f"{i}.tif")
    spec = spec_of(tmp_path, "{images: p, scale: none}")
    assert dlspec.graph(spec).inputs[0].shape == (None, 6, 6, 1)
    table = source_of(spec.data).load(0)
    found = {
        word: {int(picture.max()) for picture in table["picture"][np.flatnonzero(table["label"] == word)]}
        for word in values
    }
    assert found == {"dark": {1}, "light": {233}}
    for dtype, what in (("int32", "whole numbers of 32 bits"), ("float32", "fractions")):
        Image.fromarray(values["dark"].astype(dtype)).save(tmp_path / "p" / "dark" / "2.tif")
        (problem,) = dlspec.validate(spec_of(tmp_path, "{images: p, scale: none}"))
        assert problem.code == "data-unreadable"
        assert f"holds {what}, and nothing says which of them is white" in problem.message


def test_where_it_was_held_is_found_behind_other_parts_of_a_picture(tmp_path):
    """Cameras and editors write other parts before it, of up to 64 kB each."""
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = np.zeros((32, 24, 3), "uint8")
    pixels[:10] = (255, 0, 0)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=95, exif=exif.tobytes())
    whole = buffer.getvalue()
    start = whole.index(b"\xff\xe1")
    before = (b"\xff\xe2" + (60_002).to_bytes(2, "big") + b"X" * 60_000) * 3
    for kind, content in (("a", whole), ("b", whole[:start] + before + whole[start:])):
        (tmp_path / "p" / kind).mkdir(parents=True)
        for i in range(2):
            (tmp_path / "p" / kind / f"{i}.jpg").write_bytes(content)
    table = source_of(spec_of(tmp_path, "{images: {path: p, size: [24, 32]}}").data).load(0)
    pictures = table["picture"][:]
    assert all(np.array_equal(picture, pictures[0]) for picture in pictures)
    assert pictures[0][12, 28].argmax() == 0, "the red edge is at the right"


def test_a_picture_that_lies_on_its_side_is_turned(tmp_path):
    (tmp_path / "p" / "a").mkdir(parents=True)
    (tmp_path / "p" / "b").mkdir()
    exif = Image.Exif()
    exif[0x0112] = 6
    for i in range(4):
        Image.new("RGB", (20, 10), "red").save(tmp_path / "p" / "a" / f"{i}.jpg", exif=exif)
        Image.new("RGB", (10, 20), "blue").save(tmp_path / "p" / "b" / f"{i}.jpg")
    spec = spec_of(tmp_path, "{images: p}")
    assert dlspec.graph(spec).inputs[0].shape == (None, 20, 10, 3)
    assert load_data(spec).train.inputs.shape[1:] == (20, 10, 3)


def test_folders_train_and_test_are_the_parts(pets):
    for part, names in (("train", range(8)), ("test", range(8, 12))):
        for kind in ("cat", "dog"):
            (pets / "split" / part / kind).mkdir(parents=True)
            for i in names:
                os.link(pets / "pets" / kind / f"{i:02d}.png", pets / "split" / part / kind / f"{i:02d}.png")
    data = load_data(spec_of(pets, "{images: split}"))
    assert len(data.test) == 8
    assert sorted(data.test.rows) == list(range(16, 24))


def test_a_table_names_pictures_beside_a_target_of_its_own(pets):
    files = [f"pets/{kind}/{i:02d}.png" for kind in ("cat", "dog") for i in range(12)]
    table = pd.DataFrame({"id": range(24), "file": files, "weight": np.linspace(3, 30, 24)})
    table.to_csv(pets / "pets.csv", index=False)
    data = load_data(spec_of(pets, "{images: pets.csv, target: weight}"))
    assert data.signature.task == "number"
    assert data.train.inputs.shape[1:] == (12, 10, 3)
    table.loc[3, "file"] = "pets/cat/99.png"
    table.to_csv(pets / "pets.csv", index=False)
    found = problem(pets, "{images: pets.csv, target: weight}")
    assert found.message == ("1 of 24 files that `pets.csv` names are not there, the first in row 4: `pets/cat/99.png`")


def test_an_autoencoder_of_pictures_without_classes(pets):
    (pets / "more").mkdir()
    for i in range(12):
        os.link(pets / "pets" / "cat" / f"{i:02d}.png", pets / "more" / f"{i}.png")
    text = "dlspec: 1\ndata: {images: more, cache: none, target: input, scale: min_max}\n"
    (pets / "back.yaml").write_text(
        f"{text}model: [flatten, {{dense: 6}}, output]\ntrain: {{epochs: 2}}\n", encoding="utf-8"
    )
    run = dlspec.run(pets / "back.yaml", out=pets / "back")
    assert set(run.metrics.baselines) == {"mean", "pca"}
    assert run.metrics.baselines["pca"]["squared_error"] <= run.metrics.baselines["mean"]["squared_error"]


def test_what_is_wrong_with_a_picture_is_said_with_its_file(pets):
    whole = (pets / "pets/cat/01.png").read_bytes()
    (pets / "pets/cat/01.png").write_bytes(whole[: len(whole) // 2])
    found = problem(pets, "{images: pets}")
    assert (found.code, found.message) == ("data-unreadable", "`pets/cat/01.png` is no whole picture")
    (pets / "pets/dog/02.png").write_bytes(b"no picture at all")
    assert "so it is with 2 files" in problem(pets, "{images: {path: pets, size: 8, color: rgb}}").message
    (pets / "pets/cat/01.png").write_bytes(whole)
    draw(np.random.default_rng(0), "dog", (12, 11)).save(pets / "pets/dog/02.png")
    found = problem(pets, "{images: pets}")
    assert found.code == "sizes-differ"
    assert "`pets/dog/02.png` 12 x 11" in found.message
    assert found.help == "write `images: {path: pets, size: [12, 10]}`"
    found = problem(pets, "{images: pets/cat/00.png}")
    assert found.message == "`pets/cat/00.png` is a file, and pictures stand in folders"
    (pets / "empty").mkdir()
    assert problem(pets, "{images: empty}").message.startswith("there are no pictures in `empty`: no file ends in")
    assert problem(pets, "{images: petz}").message == "there is no file `petz`"


def test_broken_files_are_skipped_where_that_is_asked(pets, words):
    (pets / "pets/cat/01.png").write_bytes(b"no picture")
    (pets / "pets/dog/11.png").write_bytes((pets / "pets/dog/10.png").read_bytes()[:200])
    for more in ("", ", cache: none"):
        data = load_data(spec_of(pets, f"{{images: {{path: pets, broken: skip}}{more}}}"))
        assert len(data.train) + len(data.validation) + len(data.test) == 22
        assert data.notes == (
            "2 of 24 files were skipped, as they cannot be read; the first: `pets/cat/01.png` is no whole picture.",
        )
    (words / "words/low/0.wav").write_bytes(b"RIFF")
    data = load_data(spec_of(words, "{audio: {path: words, broken: skip}}"))
    assert len(data.train) + len(data.validation) + len(data.test) == 15
    assert "1 of 16 files were skipped" in data.notes[0]


def test_where_all_files_are_broken_none_can_be_skipped(pets, words):
    for file in pets.glob("pets/*/*.png"):
        file.write_bytes(b"no picture")
    for more in ("", ", size: 8, color: rgb"):
        found = problem(pets, f"{{images: {{path: pets, broken: skip{more}}}}}")
        assert found.message == "`pets/cat/00.png` is no whole picture; so it is with 24 files"
    for file in words.glob("words/*/*.wav"):
        file.write_bytes(file.read_bytes()[:1000])
    found = problem(words, "{audio: {path: words, broken: skip}}")
    assert found.message == "cannot read `words/high/0.wav`: it is cut off; so it is with 16 files"


def test_sounds_in_the_other_byte_order_and_of_large_files_are_read(words):
    expected = load_data(spec_of(words, "{audio: words}"))
    for number, file in enumerate(sorted(words.glob("words/*/*.wav"))):
        rate, values = wavfile.read(file)
        samples = values.tobytes()
        if number % 2:
            head = b"WAVEfmt " + struct.pack(">IHHIIHH", 16, 1, 1, rate, 2 * rate, 2, 16)
            body = head + b"data" + struct.pack(">I", len(samples)) + values.astype(">i2").tobytes()
            file.write_bytes(b"RIFX" + struct.pack(">I", len(body)) + body)
        else:
            sizes = struct.pack("<QQQI", 72 + len(samples), len(samples), len(values), 0)
            head = b"WAVEds64" + struct.pack("<I", len(sizes)) + sizes + file.read_bytes()[12:36]
            file.write_bytes(b"RF64" + b"\xff" * 4 + head + b"data" + b"\xff" * 4 + samples)
    found = load_data(spec_of(words, "{audio: words}"))
    assert np.array_equal(found.train.inputs, expected.train.inputs)


def test_what_is_read_whole_cannot_stay_in_files(pets):
    np.savez(pets / "a.npz", x=np.zeros((20, 3)), y=np.arange(20) % 2)
    (pets / "texts").mkdir()
    (pets / "texts/a.txt").write_text("a text")
    for data, what in [("dataset: iris", "`dataset`"), ("text: texts", "`text`"), ("arrays: a.npz", "an `.npz` file")]:
        found = problems_of(f"data: {{{data}, cache: none, target: input}}\n{MODEL}", pets)
        said = [problem.message for problem in found if problem.code == "needs-memory"]
        assert said == [f"{what} is read whole, and `cache: none` keeps nothing in memory"]


def test_a_bomb_is_no_picture(pets, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    found = problem(pets, "{images: {path: pets, size: 8, color: rgb}}")
    assert "`pets/cat/00.png` has more than 0 million pixels" in found.message


@pytest.mark.skipif(os.geteuid() == 0, reason="this user may read everything")
def test_a_folder_that_may_not_be_read(pets):
    (pets / "pets").chmod(0)
    try:
        assert "permission denied" in problem(pets, "{images: pets}").message
    finally:
        (pets / "pets").chmod(0o755)


# --- sounds


def test_sounds_come_to_one_rate_and_one_length(words):
    t = np.arange(16000) / 8000
    stereo = np.stack([np.sin(2 * np.pi * 200 * t)] * 2, axis=1).astype("float32")
    wavfile.write(words / "words/low/8.wav", 8000, stereo)  # two seconds, two channels, another rate, of floats
    found = problem(words, "{audio: words}")
    assert found.message.startswith("sounds have different rates: `words/")
    assert found.message.endswith("and `words/low/8.wav` 8,000")
    assert found.help == "write `audio: {path: words, rate: 4000}`"
    found = problem(words, "{audio: {path: words, rate: 4000}}")
    assert "seconds: 2" in found.help
    data = load_data(spec_of(words, "{audio: {path: words, rate: 4000, seconds: 1.5}, scale: none}"))
    assert data.train.inputs.shape[1:] == (6000,)
    whole = np.concatenate([part.inputs[:] for part in (data.train, data.validation, data.test)])
    assert abs(whole).max() <= 1
    longest = whole[(whole[:, 4500:] != 0).any(axis=1)]
    assert len(longest) == 1, "behind the others is silence"
    expected = np.sin(2 * np.pi * 200 * np.arange(6000) / 4000)
    np.testing.assert_allclose(longest[0, 100:-100], expected[100:-100], atol=0.01)


def test_a_network_hears_the_difference(words):
    text = (
        "dlspec: 1\nname: hears\ndata: {audio: words}\nmodel:\n"
        "  - mel_spectrogram: {sampling_rate: 4000, fft_length: 256, num_mel_bins: 16, min_freq: 50, max_freq: 2000}\n"
        "  - flatten\n  - output\ntrain: {epochs: 15, batch_size: 4, optimizer: {adam: 0.01}}\n"
    )
    (words / "spec.yaml").write_text(text, encoding="utf-8")
    run = dlspec.run(words / "spec.yaml", out=words / "run")
    assert run.metrics.train["accuracy"] == 1
    dlspec.predict(run, words / "words/high/3.wav", words / "one.csv")
    assert pd.read_csv(words / "one.csv")["label"].tolist() == ["high"]
    assert run.data.rate == 4000
    (words / "faster").mkdir()
    for kind in ("low", "high"):  # twice as many samples a second, which is not an octave higher
        rate, heard = wavfile.read(words / f"words/{kind}/3.wav")
        wavfile.write(words / f"faster/{kind}.wav", 2 * rate, np.repeat(heard, 2))
    dlspec.predict(run, words / "faster", words / "faster.csv")
    assert pd.read_csv(words / "faster.csv")["label"].tolist() == ["high", "low"]


def test_a_sound_that_is_cut_off_is_named(words):
    whole = (words / "words/high/3.wav").read_bytes()
    (words / "words/high/3.wav").write_bytes(whole[:-1001])
    assert problem(words, "{audio: words}").message == "cannot read `words/high/3.wav`: it is cut off"
    (words / "words/high/3.wav").write_bytes(whole[:20])
    assert problem(words, "{audio: words}").message == "cannot read `words/high/3.wav`: it is no WAV file"
    wavfile.write(words / "words/high/3.wav", 4000, np.zeros(0, "int16"))
    assert problem(words, "{audio: {path: words, seconds: 1}}").message == "`words/high/3.wav` has no sound in it"


# --- arrays


def test_arrays_in_keras_layout_bring_their_test_part(tmp_path):
    random = np.random.default_rng(0)
    arrays = {
        "x_train": random.normal(size=(40, 4, 4)),
        "y_train": random.integers(0, 3, 40),
        "x_test": random.normal(size=(11, 4, 4)),
        "y_test": random.integers(0, 3, 11),
    }
    np.savez(tmp_path / "set.npz", **arrays)
    data = load_data(spec_of(tmp_path, "{arrays: set.npz, scale: none}"))
    assert data.signature.target.classes == ("0", "1", "2")
    assert np.array_equal(data.test.inputs, arrays["x_test"].astype("float32"))
    assert np.array_equal(data.test.truth, arrays["y_test"])


@pytest.mark.slow
def test_files_of_single_arrays_stay_in_their_files(tmp_path):
    random = np.random.default_rng(0)
    x, y = random.normal(size=(60, 5, 6, 2)), random.normal(size=60)  # frames of a video, and a number
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", y)
    runs = [
        dlspec.run(spec_of(tmp_path, f"{{arrays: {{x: x.npy, y: y.npy}}, cache: {cache}}}"), out=tmp_path / cache)
        for cache in ("memory", "none")
    ]
    for one, other in zip(*(run.model.get_weights() for run in runs), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    again = dlspec.run(runs[1].folder / "resolved.yaml", out=tmp_path / "again")
    assert again.metrics.test == runs[1].metrics.test
    assert dlspec.predict(again, tmp_path / "x.npy", tmp_path / "p.csv") == 60
    np.testing.assert_allclose(pd.read_csv(tmp_path / "p.csv")["y"], runs[0].predict(x)["y"], atol=1e-5)


class Evil:
    def __reduce__(self):
        return (os.mkdir, ("evil",))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": np.zeros((4, 2)), "y": np.zeros(5)}, "`x` has 4 samples, and `y` has 5"),
        ({"a": np.zeros((4, 2)), "y": np.zeros(4)}, "`set.npz` has `a` and `y`, and no array `x`"),
        ({"x": np.array([Evil()], object), "y": np.zeros(1)}, "`set.npz` holds Python objects, which are not read"),
        ({"x": np.zeros((4, 2)), "y": np.float64(1)}, "`y` is a single value, and no array of samples"),
        (
            {"x_train": np.zeros((4, 2)), "x_test": np.zeros((4, 3))},
            "`x_train` and `x_test` have the shapes (4, 2) and (4, 3)",
        ),
    ],
)
def test_what_is_wrong_with_arrays_is_said(tmp_path, arrays, message):
    np.savez(tmp_path / "set.npz", **arrays)
    assert message in problem(tmp_path, "{arrays: set.npz}").message
    assert not os.path.exists("evil")


def test_a_torn_file_of_arrays(tmp_path):
    content = io.BytesIO()
    np.savez(content, x=np.zeros((40, 20)), y=np.zeros(40))
    (tmp_path / "set.npz").write_bytes(content.getvalue()[:-200])
    assert problem(tmp_path, "{arrays: set.npz}").message == "`set.npz` is no whole file of numpy"
    np.save(tmp_path / "x.npy", np.zeros((40, 20)))
    (tmp_path / "x.npy").write_bytes((tmp_path / "x.npy").read_bytes()[:-300])
    assert problem(tmp_path, "{arrays: {x: x.npy}, target: input}").message == "`x.npy` is no whole file of numpy"
    np.save(tmp_path / "x.npy", np.zeros((40, 20)))
    assert problem(tmp_path, "{arrays: x.npy, target: input}").help == "write `arrays: {x: x.npy, y: …}`"


def test_a_picture_stands_alone(pets):
    table = pd.DataFrame({"file": [f"pets/cat/{i:02d}.png" for i in range(12)], "age": range(12), "weight": range(12)})
    table.to_csv(pets / "cats.csv", index=False)
    text = "data: {images: cats.csv, target: weight, features: [picture, age]}\nmodel: [flatten, output]\n"
    (found,) = [problem.message for problem in problems_of(text, pets) if problem.is_error]
    assert found == (
        "`picture` holds arrays, such as pictures, and `age` stands beside it; arrays have an input of their own"
    )


def test_a_folder_of_texts(tmp_path):
    for kind, words in (("good", "fine lovely"), ("bad", "dull boring")):
        (tmp_path / "reviews" / kind).mkdir(parents=True)
        for i in range(20):
            (tmp_path / "reviews" / kind / f"{i}.txt").write_text(f"this is a {words} film {i}", encoding="utf-8")
    text = "dlspec: 1\ndata: {text: reviews}\nmodel: [output]\ntrain: {epochs: 30, optimizer: {adam: 0.1}}\n"
    (tmp_path / "s.yaml").write_text(text, encoding="utf-8")
    run = dlspec.run(tmp_path / "s.yaml", out=tmp_path / "run")
    assert run.metrics.test["accuracy"] == 1
    (tmp_path / "new.txt").write_text("what a lovely thing", encoding="utf-8")
    dlspec.predict(run, tmp_path / "new.txt", tmp_path / "p.csv")
    assert pd.read_csv(tmp_path / "p.csv")["label"].tolist() == ["good"]
    (tmp_path / "reviews/bad/3.txt").write_bytes("schön".encode("latin-1"))
    assert "and data are UTF-8" in problem(tmp_path, "{text: reviews}").message
    rows = "".join(f"{i},what a {w} film {i},{k}\n" for i in range(20) for k, w in (("a", "fine"), ("b", "dull")))
    (tmp_path / "reviews.csv").write_text(f"id,said,kind\n{rows}", encoding="utf-8")
    data = load_data(spec_of(tmp_path, "{text: reviews.csv, target: kind}"))
    assert [column.name for column in data.signature.features] == ["said"]


def test_semicolons_and_decimal_commas_are_read(tmp_path):
    rows = "".join(f"2024-{1 + i // 28:02d}-{1 + i % 28:02d};{i},5;Bern\n" for i in range(100))
    (tmp_path / "excel.csv").write_text("date;temp;city\n" + rows)
    (tmp_path / "s.yaml").write_text(
        "dlspec: 1\ndata: {series: excel.csv, target: temp, window: {length: 3}}\nmodel: [{lstm: 3}, output]\n"
    )
    spec = dlspec.load(tmp_path / "s.yaml")
    assert spec.data.features == ["temp"], "text is no feature"
    assert Training(str(tmp_path / "s.yaml")).data.train.raw[0, 0, 0] == 0.5


@pytest.mark.parametrize("pattern", ["parts/*.csv", "parts/**/*.csv", "*.csv"])
def test_a_pattern_is_relative_to_the_folder_of_a_spec_that_is_named_from_elsewhere(tmp_path, monkeypatch, pattern):
    folder = tmp_path / "specs" / ("parts" if "parts" in pattern else ".")
    folder.mkdir(parents=True)
    for name in "ab":
        (folder / f"{name}.csv").write_text("x,y\n" + "".join(f"{i},{i % 2}\n" for i in range(40)))
    (tmp_path / "specs" / "s.yaml").write_text(
        f'dlspec: 1\ndata: {{table: "{pattern}", target: y}}\nmodel: [dense: 3, output]\n'
    )
    monkeypatch.chdir(tmp_path)
    assert dlspec.validate("specs/s.yaml") == []
    assert dlspec.plan("specs/s.yaml").samples.labelled == 56


def test_a_column_that_is_empty_at_first_is_what_comes_later(tmp_path):
    """Words, numbers, dates and `1` and `0` below 300 empty rows; a column of nothing is one of numbers."""
    late = {"word": "b", "number": "2.5", "date": "2020-01-02", "flag": "1", "none": "", "na": "NA"}
    lines = [",".join(["id", *late]), *(f"{row}" + "," * len(late) for row in range(300))]
    for row in range(60):
        other = {**late, "word": "ab"[row % 2], "number": f"{row}.5", "flag": f"{row % 2}"}
        lines.append(",".join([f"{300 + row}", *other.values()]))
    (tmp_path / "late.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    columns = {c.name: c for c in TableFiles(("late.csv",), tmp_path).describe().columns}
    kinds = {name: column.kind for name, column in columns.items()}
    assert kinds == {
        "id": "number", "word": "class", "number": "number", "date": "time", "flag": "number", "none": "number",
        "na": "number",
    }  # fmt: skip
    assert (columns["word"].classes, columns["flag"].classes) == (("a", "b"), ("0", "1"))
    series = {c.name: c.kind for c in SeriesFiles(("late.csv",), tmp_path).describe().columns}
    assert (series["word"], series["number"]) == ("text", "number")
