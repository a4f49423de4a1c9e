"""Masks of pictures: pairs of files, what values are, sizes and orientation."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import dlspec
from dlspec.data.source_of import source_of
from dlspec.data.sources.images import fitted
from dlspec.data.sources.masks import apart, written_mask
from dlspec.language.diagnostics.errors import DataError, SpecError
from dlspec.runs.job import load_data

RANDOM = np.random.default_rng(0)
CLASSES = "classes: {0: sky, 100: road}, ignore: 255"


def save(folder, name, values, mode=None):
    """An array as a picture in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(values, "uint8"), mode).save(folder / name)


def opened(file):
    with Image.open(file) as picture:
        return np.asarray(picture)


def photo(rows=6, columns=8):
    return RANDOM.integers(0, 255, (rows, columns, 3))


def mask(rows=6, columns=8, values=(0, 100, 255)):
    return RANDOM.choice(values, (rows, columns))


@pytest.fixture
def pairs(tmp_path):
    for i in range(30):
        save(tmp_path / "photos", f"{i:02d}.png", photo())
        save(tmp_path / "masks", f"{i:02d}.png", mask())
    return tmp_path


def text(options=CLASSES, path="photos", more=""):
    return (
        f"dlspec: 1\ndata: {{images: {{path: {path}, masks: masks, {options}}}{more}}}\n"
        "model: [{conv2d: {filters: 2, kernel_size: 1}}, output]\ntrain: {epochs: 1}\n"
    )


def load(folder, *given, **named):
    file = folder / "it.yaml"
    file.write_text(text(*given, **named))
    return dlspec.load(file)


def problem(folder, *given, **named):
    with pytest.raises((DataError, SpecError)) as caught:
        load_data(load(folder, *given, **named))
    return caught.value.diagnostics[0]


def truth_of(folder, *given, **named):
    """The class at each pixel, in the order of the files."""
    source = source_of(load(folder, *given, **named).data)
    return np.asarray(source.load(0)["mask"][:])


def test_values_are_classes_and_what_is_ignored_does_not_count(pairs):
    spec = load(pairs)
    given = np.stack([opened(file) for file in sorted((pairs / "masks").iterdir())])
    expected = np.select([given == 0, given == 100], [0, 1], -1)
    np.testing.assert_array_equal(truth_of(pairs), expected)
    data = load_data(spec)
    target = data.signature.target
    assert (target.name, target.kind, target.classes, target.places) == ("mask", "class", ("sky", "road"), (6, 8))
    for part in (data.train, data.validation, data.test):
        np.testing.assert_array_equal(part.truth, expected[part.rows])
    assert spec.evaluate.metrics is None or "mean_iou" in {metric.type_name for metric in spec.evaluate.metrics}


def test_without_names_every_value_is_a_class(pairs):
    source = source_of(load(pairs, "ignore: [255]").data)
    assert source.describe().column("mask").classes == ("0", "100")
    assert source_of(load(pairs, "size: 4").data).describe().column("mask").classes == ("0", "100", "255")


def test_endings_may_differ_and_folders_are_walked(tmp_path):
    for i in range(4):
        save(tmp_path / "photos" / "a", f"{i}.jpg", photo())
        save(tmp_path / "masks" / "a", f"{i}.png", mask())
    assert truth_of(tmp_path).shape == (4, 6, 8)


def test_masks_may_lie_among_the_photos(tmp_path):
    for i in range(4):
        save(tmp_path, f"{i}.png", photo())
        save(tmp_path / "masks", f"{i}.png", mask())
    assert truth_of(tmp_path, path=".").shape == (4, 6, 8)


def test_what_has_no_counterpart_is_counted_and_listed(pairs):
    for name in ("03", "07"):
        (pairs / "masks" / f"{name}.png").unlink()
    save(pairs / "masks", "more.png", mask())
    found = problem(pairs)
    assert found.code == "masks-unpaired"
    assert found.message == (
        "2 of 30 pictures have no mask in `masks`: `photos/03.png`, `photos/07.png`; "
        "1 of 29 masks has no picture: `masks/more.png`"
    )


def test_two_photos_of_one_name_are_refused(pairs):
    save(pairs / "photos", "03.jpg", photo())
    found = problem(pairs)
    assert found.code == "masks-unpaired"
    assert "`photos/03.jpg` and `photos/03.png`" in found.message


def test_unknown_values_are_listed_with_a_file_each(pairs):
    for name, value in (("04", 9), ("05", 9), ("06", 77)):
        given = mask()
        given[2, 3] = value
        save(pairs / "masks", f"{name}.png", given)
    found = problem(pairs)
    assert found.code == "mask-values"
    assert "9 in `masks/04.png`, 77 in `masks/06.png`" in found.message
    assert "ignore: [9, 77]" in found.help


def test_a_palette_gives_its_indices(tmp_path):
    values = mask(values=(0, 1, 2))
    for i in range(3):
        save(tmp_path / "photos", f"{i}.png", photo())
        (tmp_path / "masks").mkdir(exist_ok=True)
        own = Image.fromarray(values.astype("uint8"), "P")
        own.putpalette([255, 0, 0, 255, 0, 0, 9, 9, 9])  # two indices of one color
        own.save(tmp_path / "masks" / f"{i}.png")
    np.testing.assert_array_equal(truth_of(tmp_path, "size: [6, 8]")[0], values)


def test_colors_that_are_grey_are_read_and_others_refused(pairs):
    values = mask()
    save(pairs / "masks", "00.png", np.repeat(values[..., None], 3, axis=-1))
    np.testing.assert_array_equal(truth_of(pairs)[0], np.select([values == 0, values == 100], [0, 1], -1))
    save(pairs / "masks", "00.png", photo())
    found = problem(pairs)
    assert found.code == "mask-colors"
    assert "`masks/00.png`" in found.message
    assert "palette" in found.help


def few_bits(file, values, bits):
    """A grey PNG of 2 or 4 bits, which Pillow does not write."""
    rows, columns = values.shape
    each = 8 // bits
    lines = b""
    for row in values:
        packed = [
            sum(int(v) << bits * (each - 1 - k) for k, v in enumerate(row[i : i + each]))
            for i in range(0, columns, each)
        ]
        lines += b"\0" + bytes(packed)

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    head = struct.pack(">IIBBBBB", columns, rows, bits, 0, 0, 0, 0)
    content = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
    Path(file).write_bytes(b"\x89PNG\r\n\x1a\n" + content)


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_grey_of_few_bits_keeps_its_values(tmp_path, bits):
    values = mask(values=range(2**bits))
    save(tmp_path / "photos", "a.png", photo())
    (tmp_path / "masks").mkdir()
    few_bits(tmp_path / "masks" / "a.png", values, bits)
    source = source_of(load(tmp_path, "size: [6, 8]").data)
    assert source.describe().column("mask").classes == tuple(map(str, np.unique(values)))
    np.testing.assert_array_equal(source.load(0)["mask"][0], np.searchsorted(np.unique(values), values))


def test_jpeg_and_16_bits_are_refused(pairs):
    (pairs / "masks" / "00.png").unlink()
    save(pairs / "masks", "00.jpg", mask())
    assert problem(pairs).code == "mask-colors"
    (pairs / "masks" / "00.jpg").unlink()
    Image.fromarray(mask().astype("uint16")).save(pairs / "masks" / "00.png")
    assert "16 bits" in problem(pairs).message


def test_other_sizes_than_the_photo_are_refused(pairs):
    save(pairs / "masks", "00.png", mask(8, 6))
    found = problem(pairs)
    assert found.code == "sizes-differ"
    assert "`masks/00.png` has 8 x 6 pixels, and its picture 6 x 8" in found.message
    assert found.help == "turn the mask as the picture is shown"


def test_orientation_is_applied_to_both(tmp_path):
    values = mask()
    for kind, given in (("photos", np.repeat(values[..., None], 3, axis=-1)), ("masks", values)):
        (tmp_path / kind).mkdir()
        exif = Image.Exif()
        exif[0x0112] = 6
        Image.fromarray(given.astype("uint8")).save(tmp_path / kind / "a.png", exif=exif)
    columns = source_of(load(tmp_path, "classes: {0: a, 100: b, 255: c}").data).load(0)
    np.testing.assert_array_equal(np.array([0, 100, 255])[columns["mask"][0]], columns["picture"][0, ..., 0])
    np.testing.assert_array_equal(columns["picture"][0, ..., 0], np.rot90(values, -1))


@pytest.mark.parametrize("fit", ["stretch", "crop", "pad"])
@pytest.mark.parametrize("size", [(20, 20), (23, 31), (60, 50)])
def test_a_mask_lies_on_its_photo_however_it_is_fitted(fit, size):
    """A picture of blocks of two greys, and the mask that says which: after both are fitted, it still does."""
    blocks = np.kron(RANDOM.integers(0, 2, (4, 5)), np.ones((10, 12), int)).astype("uint8")
    picture, own = fitted(blocks * 200 + 50, size, fit), fitted(blocks.astype("int16"), size, fit, mask=True)
    assert picture.shape == own.shape == size
    assert ((own == -1) == (picture == 0)).mean() == 1  # edges are black, and do not count
    sure = (picture == 50) | (picture == 250)
    assert ((picture == 250) == (own == 1))[sure & (own >= 0)].all()
    assert sure[own >= 0].mean() > 0.4


@pytest.mark.parametrize("fit", ["stretch", "crop", "pad"])
@pytest.mark.parametrize("size", [(16, 16), (10, 24), (31, 12)])
def test_a_found_mask_is_brought_back_to_its_photo(fit, size):
    blocks = np.kron(RANDOM.integers(0, 2, (4, 5)), np.ones((10, 12), int)).astype("int16")
    own = fitted(blocks, size, fit, mask=True)
    back = written_mask(np.where(own < 0, 9, own).astype("uint8"), blocks.shape, fit, 7)
    assert back.shape == blocks.shape
    assert (back != 9).all()
    assert (back == 7).any() == (fit == "crop")
    assert (back == blocks)[back != 7].mean() > 0.7


def test_parts_may_be_folders(tmp_path):
    for part, count in (("train", 6), ("test", 3)):
        for i in range(count):
            save(tmp_path / "photos" / part, f"{i}.png", photo())
            save(tmp_path / "masks" / part, f"{i}.png", mask())
    assert source_of(load(tmp_path).data).describe().test_rows == 3


def test_a_table_chooses_photos_and_groups_them(pairs):
    lines = [f"photos/{i:02d}.png,{i // 5}" for i in range(0, 30, 2)]
    (pairs / "list.csv").write_text("\n".join(["file,walk", *lines]) + "\n")
    data = load_data(load(pairs, path="list.csv", more=", split: {group: walk}"))
    assert len(data.columns["mask"]) == 15
    labelled = source_of(load(pairs, path="list.csv").data).labelled(pairs, (6, 8, 3))
    assert {*labelled} == {"picture", "mask", "walk"}
    np.testing.assert_array_equal(labelled["mask"][:], data.columns["mask"])
    (pairs / "list.csv").rename(pairs / "other.csv")
    with pytest.raises(DataError, match="there is no table"):
        source_of(load(pairs, path="other.csv").data).labelled(pairs / "masks", (6, 8, 3))
    groups = [{int(v) for v in data.columns["walk"][part.rows]} for part in (data.train, data.test)]
    assert not groups[0] & groups[1]


def test_broken_pairs_can_be_skipped(pairs):
    (pairs / "masks" / "01.png").write_bytes(b"no picture")
    assert problem(pairs).code == "data-unreadable"
    spec = load(pairs, f"{CLASSES}, broken: skip")
    loaded = source_of(spec.data).load_parts(0)
    assert len(loaded.columns["picture"]) == len(loaded.columns["mask"]) == 29
    assert "1 of 30 pictures were skipped" in loaded.notes[0]


def test_files_that_stay_on_disk_give_the_same(pairs):
    kept, read = (load_data(load(pairs, more=f", cache: {how}")) for how in ("memory", "none"))
    np.testing.assert_array_equal(kept.train.truth, read.train.truth)
    np.testing.assert_array_equal(np.asarray(kept.train.inputs), np.asarray(read.train.inputs[:]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("classes: {0: a, 1: b}, ignore: 1", "the value 1 is a class, and does not count"),
        ("classes: {0: a, 1: a}", "two values of masks are called `a`"),
        ("classes: {0: a, 300: b}", "300"),
        ("ignore: -1", "-1"),
    ],
)
def test_mistakes_in_keys_are_named(pairs, options, message):
    assert message in str(problem(pairs, options).message)


def test_keys_of_masks_need_masks(pairs):
    (pairs / "it.yaml").write_text(text().replace("masks: masks, ", ""))
    with pytest.raises(SpecError, match="of masks, of which no folder is named"):
        dlspec.load(pairs / "it.yaml")


def test_a_stray_value_is_an_error_before_anything_is_trained(pairs):
    (found,) = dlspec.validate(text("classes: {0: sky, 100: road}").replace("photos", str(pairs / "photos")).replace(
        "masks: masks", f"masks: {pairs / 'masks'}"))  # fmt: skip
    assert (found.code, found.is_error) == ("mask-values", True)


def test_init_does_not_take_masks_for_a_class(pairs):
    with pytest.raises(DataError, match="as masks have"):
        dlspec.init(str(pairs))


@pytest.mark.parametrize(
    ("path", "masks", "expected"),
    [
        ("photos", "masks", ("photos", "masks")),
        ("a/photos/train", "a/masks/train", ("photos", "masks")),
        (".", "masks", (".", "masks")),
        ("masks/photos", "masks", ("photos", ".")),
        ("list.csv", "masks", ("list.csv", "masks")),
    ],
)
def test_other_folders_are_called_as_those_in_the_spec(tmp_path, path, masks, expected):
    assert apart(tmp_path / path, tmp_path / masks) == expected


def test_classes_of_a_run_need_no_masks_to_be_known(pairs):
    source = source_of(load(pairs, "ignore: 255").data).knowing(("0", "100"))
    assert source.classes == ((0, "0"), (100, "100"))
    assert source_of(load(pairs).data).knowing(("sky", "road")).classes == ((0, "sky"), (100, "road"))
