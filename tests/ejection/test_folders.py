"""`load_data` of samples that stand in a file each, and of arrays."""

from __future__ import annotations

import io

import numpy as np
import pytest

from tests.ejection.written import check_preprocessing, check_rows

FLAT = "model: [flatten, dense: 4, output]\ntrain: {epochs: 1}\n"
KINDS = ("cat", "dog", "horse")


def picture(row, size=(10, 12), mode="RGB", form="PNG", **more):
    from PIL import Image

    random = np.random.default_rng(row)
    shape = size if mode in ("L", "I;16") else (*size, 4 if mode == "RGBA" else 3)
    most = 65535 if mode == "I;16" else 255
    low = random.integers(0, most, (3, 3, *shape[2:]))
    values = np.kron(low, np.ones((8, 8, *(1 for _ in shape[2:]))))[: size[0], : size[1]]
    array = (values * (0.5 + 0.5 * random.random(values.shape))).astype("uint16" if mode == "I;16" else "uint8")
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, form, **more)
    return buffer.getvalue()


def sound(row, rate=4000, seconds=0.2, dtype="int16", channels=1):
    from scipy.io import wavfile

    random = np.random.default_rng(row)
    count = round(rate * seconds)
    values = random.uniform(-1, 1, (count, channels)) * 0.5 + 0.4 * np.sin(np.arange(count) / (3 + row % 3))[:, None]
    if dtype == "uint8":
        stored = ((values + 1) * 127).astype(dtype)
    elif dtype.startswith("int"):
        stored = (values * np.iinfo(dtype).max).astype(dtype)
    else:
        stored = values.astype(dtype)
    buffer = io.BytesIO()
    wavfile.write(buffer, rate, stored[:, 0] if channels == 1 else stored)
    return buffer.getvalue()


def in_folders(make, end, count=30, folder="files", kinds=KINDS):
    return {
        f"{folder}/{kinds[row % len(kinds)]}/{'deeper/' * (row % 4 == 3)}{row}{end}": make(row) for row in range(count)
    }


def sizes(row):
    return (8 + row % 30, 30 - row % 19)


def table_of(files, name="list.csv", more="age"):
    lines = [f"name,kind,{more}"]
    lines += [f" {path.split('/', 1)[1]},{path.split('/')[1]},{row * 0.5}" for row, path in enumerate(files)]
    return {**files, f"files/{name}": "\n".join(lines) + "\n"}


def sideways(row):
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6 if row % 2 else 1
    return picture(row, (12, 10) if row % 2 else (10, 12), form="JPEG", exif=exif.tobytes())


PICTURES = {
    "of one size": (in_folders(picture, ".png"), "{path: files}"),
    "gray": (in_folders(lambda row: picture(row, mode="L"), ".png"), "{path: files}"),
    "made gray": (in_folders(picture, ".png"), "{path: files, color: grayscale}"),
    "with alpha": (in_folders(lambda row: picture(row, mode="RGBA"), ".PNG"), "{path: files}"),
    "of sixteen bits": (in_folders(lambda row: picture(row, mode="I;16"), ".png"), "{path: files}"),
    "jpeg": (in_folders(lambda row: picture(row, form="JPEG"), ".jpg"), "{path: files}"),
    "gray jpeg": (in_folders(lambda row: picture(row, form="JPEG"), ".jpg"), "{path: files, color: grayscale}"),
    "sideways": (in_folders(sideways, ".jpg"), "{path: files}"),
    "stretched": (in_folders(lambda row: picture(row, sizes(row)), ".png"), "{path: files, size: [10, 12]}"),
    "cut": (in_folders(lambda row: picture(row, sizes(row)), ".png"), "{path: files, size: [9, 12], fit: crop}"),
    "with edges": (in_folders(lambda row: picture(row, sizes(row)), ".bmp"), "{path: files, size: [9, 12], fit: pad}"),
    "stretched jpeg": (
        in_folders(lambda row: picture(row, sizes(row + 16), form="JPEG"), ".jpg"),
        "{path: files, size: [6, 7], color: rgb}",
    ),
    "named by a table": (table_of(in_folders(picture, ".png")), "{path: files/list.csv}"),
    "broken": (
        in_folders(lambda row: picture(row)[:60] if row in (4, 17) else picture(row), ".png"),
        "{path: files, broken: skip}",
    ),
    "broken, named by a table": (
        table_of(in_folders(lambda row: picture(row)[:60] if row in (4, 17) else picture(row), ".png")),
        "{path: files/list.csv, broken: skip}",
    ),
    "in parts": (
        in_folders(picture, ".png", 24, "files/train")
        | in_folders(lambda row: picture(row + 50), ".png", 9, "files/test"),
        "{path: files}",
    ),
}


@pytest.mark.parametrize("name", PICTURES)
def test_pictures(name, case_of):
    files, given = PICTURES[name]
    target = "" if "list.csv" not in given else "\n  target: kind"
    case = case_of(files, f"  images: {given}\n  scale: min_max{target}", FLAT)
    assert not case.fell_back, case.loading
    check_rows(case)
    if name == "of one size":
        check_preprocessing(case)


SOUNDS = {
    "plain": (in_folders(sound, ".wav"), "files"),
    "stereo": (in_folders(lambda row: sound(row, channels=2), ".wav"), "files"),
    "bytes": (in_folders(lambda row: sound(row, dtype="uint8"), ".wav"), "files"),
    "32 bits": (in_folders(lambda row: sound(row, dtype="int32"), ".wav"), "files"),
    "fractions": (in_folders(lambda row: sound(row, dtype="float32"), ".wav"), "files"),
    "of several rates": (
        in_folders(lambda row: sound(row, rate=(4000, 6000, 4410)[row % 3]), ".wav"),
        "{path: files, rate: 4000, seconds: 0.2}",
    ),
    "of several lengths": (
        in_folders(lambda row: sound(row, seconds=0.1 + 0.01 * row), ".wave"),
        "{path: files, seconds: 0.25}",
    ),
    "named by a table": (table_of(in_folders(sound, ".wav")), "files/list.csv"),
}


@pytest.mark.parametrize("name", SOUNDS)
def test_sounds(name, case_of):
    files, given = SOUNDS[name]
    target = "" if "list.csv" not in given else "\n  target: age"
    case = case_of(files, f"  audio: {given}{target}", FLAT)
    assert not case.fell_back, case.loading
    check_rows(case)


def text(row):
    return f"\ufeff  {('bad', 'good', 'Fine,')[row % 3]} film\r\n number {row}.\n"


def test_texts_in_folders(case_of):
    case = case_of(in_folders(text, ".txt"), "  text: files\n  features: {text: {text: {words: 8}}}")
    assert not case.fell_back, case.loading
    check_rows(case)
    check_preprocessing(case)


def archive(**arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def saved(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


RANDOM = np.random.default_rng(3)
X = RANDOM.normal(size=(40, 3, 2)).astype("float32")
WHOLE = RANDOM.integers(0, 255, (40, 4, 4, 1)).astype("uint8")
CLASSES = np.arange(40) % 3
ARRAYS = {
    "classes": ({"a.npz": archive(x=X, y=CLASSES)}, "a.npz"),
    "classes out of order": ({"a.npz": archive(x=WHOLE, y=CLASSES * 5 + 6)}, "a.npz"),
    "words": ({"a.npz": archive(x=WHOLE, y=np.array(KINDS)[CLASSES])}, "a.npz"),
    "bytes": ({"a.npz": archive(x=WHOLE, y=np.array(KINDS).astype("S")[CLASSES])}, "a.npz"),
    "yes and no": ({"a.npz": archive(x=WHOLE, y=CLASSES == 1)}, "a.npz"),
    "one in each row": ({"a.npz": archive(x=WHOLE, y=np.eye(3)[CLASSES])}, "a.npz"),
    "in columns": ({"a.npz": archive(x=WHOLE, y=CLASSES[:, None])}, "a.npz"),
    "numbers": ({"a.npz": archive(x=X, y=X[:, 0, 0] * 2)}, "a.npz"),
    "several numbers": ({"a.npz": archive(x=X, y=X[:, 0] * 2)}, "a.npz"),
    "labels": ({"a.npz": archive(x=X, y=(X[:, :, 0] > 0).astype("int64"))}, "a.npz"),
    "parts": (
        {"a.npz": archive(x_train=X[:30], y_train=CLASSES[:30], x_test=X[30:], y_test=CLASSES[30:])},
        "a.npz",
    ),
    "files": ({"x.npy": saved(X), "y.npy": saved(CLASSES)}, "{x: x.npy, y: y.npy}"),
    "files of parts": (
        {name: saved(array) for name, array in
         {"a.npy": X[:30], "b.npy": CLASSES[:30], "c.npy": X[30:], "d.npy": CLASSES[30:]}.items()},
        "{x_train: a.npy, y_train: b.npy, x_test: c.npy, y_test: d.npy}",
    ),
    "another target": ({"a.npz": archive(x=X, speed=X[:, 0, 0] * 2)}, "a.npz\n  target: speed"),
    "two others": (
        {"a.npz": archive(x=X, speed=X[:, 0, 0] * 2, kind=CLASSES, height=X[:, 1, 0])},
        "a.npz\n  target: [height, speed]",
    ),
    "a class beside others": ({"a.npz": archive(x=X, y=X[:, 0, 0], kind=CLASSES)}, "a.npz\n  target: kind"),
    "its own input": ({"a.npz": archive(x=X)}, "a.npz\n  target: input"),
    "by channel": ({"a.npz": archive(x=X, y=CLASSES)}, "a.npz\n  scale_by: channel"),
    "in doubles": ({"a.npz": archive(x=X.astype("float64") * 1e9, y=CLASSES)}, "a.npz\n  scale: robust"),
    "large whole numbers": ({"a.npz": archive(x=(X * 1e8).astype("int64"), y=CLASSES)}, "a.npz"),
}  # fmt: skip
SERIES = "@problemName s\n@timeStamps false\n@classLabel true a b\n@data\n" + "".join(
    f"{','.join(f'{value:.3f}' for value in X[row % 40, :, 0])}:{'ab'[row % 2]}\n" for row in range(30)
)
NUMBERED = SERIES.replace("@classLabel true a b", "@targetLabel true").replace(":a", ":1.5").replace(":b", ":-2")
UNEVEN = SERIES.replace("\n0", "\n0.5,0.25,0")
ARRAYS["a .ts file"] = ({"s.ts": SERIES}, "s.ts")
ARRAYS["two .ts files"] = ({"s.ts": SERIES, "t.ts": UNEVEN}, "{test: s.ts, train: t.ts}")
ARRAYS["a .ts file with numbers"] = ({"s.ts": NUMBERED}, "s.ts")
ARRAYS["a .ts file without labels"] = (
    {"s.ts": SERIES.replace("@classLabel true a b", "@classLabel false").replace(":a", "").replace(":b", "")},
    "s.ts\n  target: input",
)


@pytest.mark.everyday(8)
@pytest.mark.parametrize("name", ARRAYS)
def test_arrays(name, case_of):
    files, given = ARRAYS[name]
    case = case_of(files, f"  arrays: {given}", FLAT)
    assert not case.fell_back, case.loading
    check_rows(case)
    check_preprocessing(case)
