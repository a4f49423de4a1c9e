"""Arrays are described out of their headers, and where there are classes out of their values, all without numpy."""

import io
import itertools
import struct
import sys
import zipfile

import numpy as np
import pytest

from dlspec.data.sources import ArrayFiles
from dlspec.language.diagnostics.errors import DataError
from dlspec.runtime.archives import array_sizes
from dlspec.runtime.npy import LONGEST_HEADER, read_columns, read_header

RANDOM = np.random.default_rng(0)
WORDS = np.array(["a", "Zoë", "한국어", "b\0c", "a" * 40, "𝄞", ""])
NUMBERS = [
    "bool",
    *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
    "float16",
    "float32",
    "float64",
]
NUMBERS += [">i2", ">u8", ">f4", ">f8", "longdouble"]
ONE_HOT = np.eye(4)[[0, 2, 2, 3, 0, 2] * 5]
SEVERAL = np.array([[0, 1, 1], [1, 1, 0], [0, 1, 0]] * 10)
RECORDS = np.array([(1, "a"), (2, "b")], [("n", "<i4"), ("w", "<U3")])


def all_y():
    """Arrays `y` of 30 samples, by what they are."""
    for dtype in NUMBERS:
        yield f"classes {dtype}", RANDOM.integers(0, 2, 30).astype(dtype)
        yield f"a column {dtype}", RANDOM.integers(0, 2, (30, 1)).astype(dtype)
        yield f"one hot {dtype}", ONE_HOT.astype(dtype)
        yield f"labels {dtype}", SEVERAL.astype(dtype)
        yield f"one hot by columns {dtype}", np.asfortranarray(ONE_HOT.astype(dtype))
        yield f"labels by columns {dtype}", np.asfortranarray(SEVERAL.astype(dtype))
        yield f"one column of zeros {dtype}", np.zeros((30, 3), dtype)
    for dtype in NUMBERS[1:]:
        yield f"targets {dtype}", (SEVERAL * 3).astype(dtype)
        yield f"targets by columns {dtype}", np.asfortranarray((SEVERAL * 3).astype(dtype))
    yield "negative", RANDOM.integers(-5, 3, 30)
    yield "extremes", np.array([np.iinfo("int64").min, 0, np.iinfo("int64").max] * 10)
    yield "largest", np.array([np.iinfo("uint64").max, 1, 0] * 10, "uint64")
    yield "not a number", np.full((30, 2), np.nan)
    yield "some not a number", np.where(SEVERAL, np.nan, 1.0)
    yield "negative zero", np.where(ONE_HOT, 1.0, -0.0)
    yield "nearly one hot", np.vstack([ONE_HOT[:-1], np.ones(4)])
    yield "words", WORDS[RANDOM.integers(0, len(WORDS), 30)]
    yield "words of the other order", WORDS[RANDOM.integers(0, len(WORDS), 30)].astype(">U40")
    yield "bytes", np.char.encode(WORDS, "utf-8")[RANDOM.integers(0, 5, 30)]
    yield "empty words", np.zeros(30, "U")
    yield "times", np.arange(30).astype("datetime64[D]")
    yield "durations", np.arange(30).astype("timedelta64[25s]")
    yield "boxes", np.zeros((30, 2, 2), "uint8")
    yield "no columns", np.zeros((30, 0))
    yield "many columns", np.eye(30, 1000, dtype="uint8")
    yield "too many columns", np.eye(30, 1001, dtype="uint8")


def by_numpy(arrays):
    """The columns as (name, kind, shape, classes), and the targets: what numpy finds in whole arrays."""
    found = {name: arrays[name] for name in sorted(arrays, key=lambda name: (name != "x", name != "y", name))}
    targets = ("y",) if "y" in found else ()
    y = found.get("y")
    if y is not None and y.dtype.kind == "S":
        found["y"] = np.char.decode(y, "utf-8")
    if y is not None and y.ndim == 2 and y.dtype.kind in "iufb" and 1 <= y.shape[1] <= 1000:
        yes_or_no = bool(((y == 0) | (y == 1)).all())
        if y.shape[1] == 1:
            found["y"] = y[:, 0]
        elif yes_or_no and (y.sum(axis=1) == 1).all():
            found["y"] = y.argmax(axis=1)
        else:
            del found["y"]
            targets = tuple(f"y_{place}" for place in range(1, y.shape[1] + 1))
            found |= zip(targets, y.astype("uint8" if yes_or_no else "float64").T, strict=True)
    return [_column_by_numpy(name, values) for name, values in found.items()], targets


def _column_by_numpy(name, values):
    if values.ndim > 1:
        return name, "number", values.shape[1:], ()
    if values.dtype.kind in "mM":
        return name, "time", (), ()
    if values.dtype.kind != "f" and name != "x" and len(np.unique(values)) <= 100:
        return name, "class", (), tuple(str(word) for word in np.unique(values))
    return name, "text" if values.dtype.kind in "US" else "number", (), ()


def describe(folder, monkeypatch, files, *, without_numpy=True):
    """How files are described: columns, targets, and rows of the test part.

    Args:
        files: the path of an archive, or of each array.
    """
    roles, paths = (tuple(files), tuple(files.values())) if isinstance(files, dict) else ((), (files,))
    with monkeypatch.context() as patch:
        if without_numpy:
            patch.setitem(sys.modules, "numpy", None)  # importing it is an error
        about = ArrayFiles(paths, folder, roles=roles).look()
    columns = [(column.name, column.kind, column.shape, column.classes) for column in about.columns]
    return columns, about.targets, about.test_rows


def in_parts(arrays, rows):
    """Arrays as a training part of some rows and a test part."""
    first = {f"{name}_train": values[:rows] for name, values in arrays.items()}
    return first | {f"{name}_test": values[rows:] for name, values in arrays.items()}


def save_each(folder, arrays):
    for name, values in arrays.items():
        np.save(folder / f"{name}.npy", values)
    return {name: f"{name}.npy" for name in arrays}


@pytest.mark.parametrize("y", [pytest.param(y, id=what) for what, y in all_y()])
def test_arrays_are_described_as_numpy_would(tmp_path, monkeypatch, y):
    arrays = {"x": np.zeros((30, 2)), "y": y, "weight": np.arange(30.0), "group": np.arange(30) % 3}
    plain = y.dtype != "longdouble"  # which `struct` does not know
    np.savez(tmp_path / "stored.npz", **arrays)
    np.savez_compressed(tmp_path / "packed.npz", **arrays)
    np.savez_compressed(tmp_path / "parts.npz", **in_parts(arrays, 20))
    for files in ("stored.npz", "packed.npz", save_each(tmp_path, arrays)):
        assert describe(tmp_path, monkeypatch, files, without_numpy=plain) == (*by_numpy(arrays), 0)
    trained = {name: values[:20] for name, values in arrays.items()}  # which alone decide
    for files in ("parts.npz", save_each(tmp_path, in_parts(arrays, 20))):
        assert describe(tmp_path, monkeypatch, files, without_numpy=plain) == (*by_numpy(trained), 10)


@pytest.mark.parametrize(("first", "second"), list(itertools.permutations(NUMBERS[:-1], 2)), ids=lambda dtype: dtype)
def test_parts_of_two_types_are_joined_as_numpy_would(tmp_path, monkeypatch, first, second):
    x = np.zeros((9, 1))
    for y in (np.eye(3)[[0, 1, 2, 0, 1, 2, 0, 1, 2]], np.array([0, 1, 1] * 3), np.arange(9).reshape(3, 3).repeat(3, 0)):
        parts = {"x_train": x[:6], "x_test": x[6:], "y_train": y[:6].astype(first), "y_test": y[6:].astype(second)}
        joined = {"x": x[:6], "y": np.concatenate([parts["y_train"], parts["y_test"]])[:6]}
        np.savez(tmp_path / "a.npz", **parts)
        assert describe(tmp_path, monkeypatch, "a.npz") == (*by_numpy(joined), 3)


@pytest.mark.parametrize("rows", [0, 9])
def test_a_part_without_samples_is_refused(tmp_path, monkeypatch, rows):
    parts = in_parts({"x": np.zeros((9, 2)), "y": np.arange(9)}, rows)
    np.savez(tmp_path / "a.npz", **parts)
    with pytest.raises(DataError, match=f"`x_{'test' if rows else 'train'}` has no sample"):
        describe(tmp_path, monkeypatch, "a.npz")


@pytest.mark.parametrize(
    ("y", "said"),
    [
        (np.arange(30) * 1j, "`y` holds complex numbers"),
        (np.ones((30, 2), "complex64"), "`y` holds complex numbers"),
        (WORDS[RANDOM.integers(0, len(WORDS), (30, 2))], "`y` holds arrays of text"),
    ],
    ids=["complex", "complex columns", "table of words"],
)
def test_what_no_network_sees_whole_is_refused(tmp_path, monkeypatch, y, said):
    arrays = {"x": np.zeros((30, 2)), "y": y}
    np.savez(tmp_path / "whole.npz", **arrays)
    np.savez(tmp_path / "parts.npz", **in_parts(arrays, 20))
    for files in ("whole.npz", save_each(tmp_path, arrays)):
        with pytest.raises(DataError, match=said):
            describe(tmp_path, monkeypatch, files)
    with pytest.raises(DataError, match=said.replace("`y`", "`y_train`")):
        describe(tmp_path, monkeypatch, "parts.npz")


def test_values_are_read_in_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr("dlspec.runtime.npy.BLOCK", 1)
    for count, y in (
        (101, np.arange(300) % 101),
        (100, np.arange(300) % 100),
        (3, np.eye(3, dtype="i4")[np.arange(300) % 3]),
    ):
        arrays = {"x": np.zeros((300, 1)), "y": y}
        np.savez(tmp_path / "a.npz", **arrays)
        found = describe(tmp_path, monkeypatch, "a.npz")
        assert found == (*by_numpy(arrays), 0)
        assert len(found[0][1][3]) == (0 if count > 100 else count)


@pytest.mark.parametrize(
    "y",
    [
        ONE_HOT,
        SEVERAL,
        SEVERAL.astype(bool),
        SEVERAL * 3,
        SEVERAL[:, :1],
        np.array(["a", "bcd"] * 15),
        np.array([b"a", "Zoë".encode()] * 15),
        SEVERAL > 5,
    ],
    ids=["one hot", "labels", "yes or no", "numbers", "a column", "words", "bytes", "none of them"],
)
def test_what_is_loaded_is_what_was_described(tmp_path, y):
    arrays = {"x": np.zeros((30, 2)), "y": y}
    wanted = by_numpy(arrays)[0]
    np.savez(tmp_path / "a.npz", **arrays)
    for source in (
        ArrayFiles(("a.npz",), tmp_path),
        ArrayFiles(tuple(save_each(tmp_path, arrays).values()), tmp_path, roles=tuple(arrays)),
        ArrayFiles(
            tuple(save_each(tmp_path, in_parts(arrays, 7)).values()), tmp_path, roles=tuple(in_parts(arrays, 7))
        ),
    ):
        loaded = source.load(0)
        assert list(loaded) == [name for name, *_ in wanted]
        for name, kind, shape, classes in wanted:
            assert loaded[name].shape == (30, *shape)
            assert kind != "class" or sorted(set(loaded[name])) == list(classes)
    targets = np.stack([np.asarray(loaded[name]).astype(float) for name in loaded if name[:2] == "y_"] or [[]], 1)
    assert targets.shape[1] != 3 or np.array_equal(targets, y)


def test_parts_in_files_of_two_types_lose_nothing(tmp_path):
    """The type of the first part would cut off the words and the numbers of the second."""
    arrays = {
        "x_train": np.zeros((2, 1), "uint8"), "y_train": np.array(["a", "b"]),
        "x_test": np.array([[0.5], [300]]), "y_test": np.array(["long", "a"]),
    }  # fmt: skip
    files = save_each(tmp_path, arrays)
    loaded = ArrayFiles(tuple(files.values()), tmp_path, roles=tuple(files)).load(0)
    assert list(loaded["y"]) == ["a", "b", "long", "a"]
    assert list(loaded["x"][:].ravel()) == [0, 0, 0.5, 300]


# --- headers


def written(array, version=(1, 0)):
    content = io.BytesIO()
    np.lib.format.write_array(content, array, version)
    return content.getvalue()


def with_header(text, version=1, values=bytes(8)):
    form = "<H" if version == 1 else "<I"
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack(form, len(text)) + text.encode() + values


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_headers_of_all_versions(version):
    array = np.asfortranarray(np.arange(6, dtype=">i2").reshape(2, 3))
    content = io.BytesIO(written(array, version))
    header = read_header(content)
    assert (header.dtype, header.kind, header.item_size, header.shape) == (">i2", "i", 2, (2, 3))
    assert header.end == len(content.getvalue())
    assert [[list(column) for column in block] for block in read_columns(content, header)] == [[[0, 3], [1, 4], [2, 5]]]


@pytest.mark.parametrize(
    "dtype",
    [
        "<f8", "complex128", "longdouble", "<U7", "S3", "V5", "datetime64[ns]", "datetime64[25s]", "timedelta64",
        [("a", "<i4"), ("ü", "<f8", (2, 3)), ("c", [("d", "S3"), ("e", "M8[D]")])],
        {"names": ["a", "b"], "formats": ["i1", "<f8"], "offsets": [0, 8]},
    ],
    ids=str,
)  # fmt: skip
def test_the_size_of_a_value(dtype):
    array = np.zeros((3, 2), dtype)
    header = read_header(io.BytesIO(written(array, (3, 0))))
    assert (header.kind, header.item_size) == (array.dtype.kind, array.dtype.itemsize)
    assert header.end == len(written(array, (3, 0)))


def test_a_header_of_python_2():
    header = read_header(io.BytesIO(with_header("{'descr': '<f8', 'fortran_order': False, 'shape': (1L, 1L), }")))
    assert header.shape == (1, 1)


PLAIN = "{'descr': '<f8', 'fortran_order': False, 'shape': (1,)}"


@pytest.mark.parametrize(
    "content",
    list(
        {
            "empty": b"",
            "no array": b"x,y\n1,2\n",
            "only a beginning": b"\x93NUMPY\x01",
            "no length": b"\x93NUMPY\x01\x00v",
            "version of the future": with_header(PLAIN, 4),
            "cut off": with_header(PLAIN)[:40],
            "too long": with_header(PLAIN + " " * LONGEST_HEADER),
            "promises 4 GB": b"\x93NUMPY\x02\x00\xff\xff\xff\xff",
            "no Python": with_header("{"),
            "deep": with_header("-" * 5000 + "1"),
            "nested": with_header("(" * 5000),
            "calls": with_header(PLAIN.replace("(1,)", "open('x')")),
            "a list": with_header("[]"),
            "no shape": with_header("{'descr': '<f8', 'fortran_order': False}"),
            "more keys": with_header(PLAIN.replace("{", "{'a': 1, ")),
            "negative": with_header(PLAIN.replace("1,", "-1, -1,")),
            "fraction": with_header(PLAIN.replace("1,", "1.0,")),
            "true": with_header(PLAIN.replace("1,", "True,")),
            "no tuple": with_header(PLAIN.replace("(1,)", "1")),
            "no order": with_header(PLAIN.replace("False", "0")),
            "no type": with_header(PLAIN.replace("<f8", "<q8")),
            "no size": with_header(PLAIN.replace("<f8", "<f3")),
            "nothing as type": with_header(PLAIN.replace("'<f8'", "None")),
            "a strange field": with_header(PLAIN.replace("'<f8'", "[('a',)]")),
            "no utf-8": with_header(PLAIN, 3).replace(b"descr", b"desc\xff"),
            "fewer values": with_header(PLAIN, values=bytes(7)),
            "far fewer values": with_header(PLAIN.replace("1,", "10**9,".replace("10**9", "1000000000"))),
        }.items()
    ),
    ids=lambda item: item[0],
)
def test_a_damaged_array_is_an_error(tmp_path, content):
    (tmp_path / "x.npy").write_bytes(content[1])
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("x.npy", content[1])
    for files in ({"x": "x.npy"}, "a.npz"):
        with pytest.raises(DataError) as caught:
            describe(tmp_path, pytest.MonkeyPatch(), files)
        (problem,) = caught.value.diagnostics
        assert problem.code == "data-unreadable"
        assert problem.message.endswith("is no whole file of numpy")


@pytest.mark.parametrize("descr", ["'|O'", "[('a', '<i4'), ('b', '|O')]", "[('a', [('b', '|O8')])]"])
def test_python_objects_are_refused(tmp_path, monkeypatch, descr):
    (tmp_path / "x.npy").write_bytes(with_header(PLAIN.replace("'<f8'", descr)))
    with pytest.raises(DataError, match="holds Python objects"):
        describe(tmp_path, monkeypatch, {"x": "x.npy"})


@pytest.mark.parametrize(
    ("save", "files", "message", "help"),
    [
        (np.save, "a.npz", "`a.npz` is one array, without a name", "write `arrays: {x: a.npz, y: …}`"),
        (np.savez, {"x": "a.npz"}, "`a.npz` holds arrays with names", "write `arrays: a.npz`"),
    ],
)
def test_an_archive_is_no_array(tmp_path, monkeypatch, save, files, message, help):
    with (tmp_path / "a.npz").open("wb") as file:
        save(file, np.zeros(3))
    with pytest.raises(DataError) as caught:
        describe(tmp_path, monkeypatch, files)
    assert (caught.value.diagnostics[0].message, caught.value.diagnostics[0].help) == (message, help)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({}, "`a.npz` has no array, and no array `x`"),
        ({"x_train": np.float64(1), "x_test": np.float64(1)}, "`x_train` is a single value, and no array of samples"),
        ({"x_train": np.zeros(3), "x_test": np.array(["a"])}, "`x_train` and `x_test` have the types `<f8` and `<U1`"),
        ({"x": np.zeros(2), "y": RECORDS}, "the values of `y` are records"),
        ({"x": np.zeros(2), "y": np.zeros((2, 3), "V4")}, "the values of `y` are records"),
        ({"x": np.zeros(2), "y": np.array([b"a", b"\xff"])}, "`a.npz` has text that cannot be decoded"),
    ],
)
def test_arrays_that_do_not_fit(tmp_path, monkeypatch, arrays, message):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(DataError) as caught:
        describe(tmp_path, monkeypatch, "a.npz")
    assert caught.value.diagnostics[0].message.startswith(message)


def test_labels_that_are_damaged_are_found(tmp_path, monkeypatch):
    np.savez(tmp_path / "a.npz", x=np.zeros((4, 1)), y=np.array(["abcdefgh"] * 4))
    content = (tmp_path / "a.npz").read_bytes()
    place = content.rindex("abc".encode("utf-32-le"))
    (tmp_path / "a.npz").write_bytes(content[:place] + b"b" + content[place + 1 :])
    with pytest.raises(DataError, match="no whole file of numpy"):
        describe(tmp_path, monkeypatch, "a.npz")


def test_sizes_of_arrays_are_read_without_numpy(tmp_path, monkeypatch):
    np.savez(tmp_path / "a.npz", **{"dense/0": np.zeros((3, 4)), "dense/1": np.zeros(4)})
    monkeypatch.setitem(sys.modules, "numpy", None)
    assert array_sizes(tmp_path / "a.npz") == {"dense/0": 12, "dense/1": 4}
