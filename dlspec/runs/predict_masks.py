"""Pictures, and for each a mask with the class that a network finds at every pixel."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import mkdtemp
from typing import IO, TYPE_CHECKING, Any

from dlspec.data.arrays import blocks
from dlspec.data.sources.masks import MaskedFiles, free_value, written_mask
from dlspec.language.diagnostics.errors import DataError
from dlspec.runs.records.data import TargetRecord
from dlspec.runs.row_predictor import RowPredictor
from dlspec.runtime.files import cannot_write

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray

SHOWN = 12
"""Classes in a note."""


def predict_masks(
    predictor: RowPredictor, source: MaskedFiles, file: Path, out: Path | IO[bytes], note: Callable[[str], None]
) -> int:
    """Writes a mask for each picture, as large as it is, into a new folder; returns how many there are.

    A mask is a PNG with a palette, whose indices are the values that masks have in the training data.

    Args:
        file: a picture, a folder with some, or a table that names them.
        out: the folder.

    Raises:
        DataError: it is there already or cannot be written, or a picture cannot be read.
    """
    if not isinstance(out, Path):
        message = f"a mask is written for each picture of `{file}`, which is no text to be printed"
        raise DataError.of("cannot-write", message, help="name a folder for them: add `--out masks_found`")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DataError.of("cannot-write", f"`{out}` is there already", help="name another folder with `--out`")
    if out.suffix:
        message = f"`{out}` is called as a file, and masks are written into a folder"
        raise DataError.of("cannot-write", message, help=f"write `--out {out.stem}`")
    _, names, samples = source.opened(file, predictor.data.input_shape)
    files = _targets([Path(name) for name in names], file)
    values = source.values_of(predictor.data.target.classes)
    outside = free_value(values, source.ignore)
    left = False
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    except OSError as error:
        raise cannot_write(out, error, "name another folder") from None
    try:
        first = 0
        for block in blocks(samples):
            for found, name in zip(_found(predictor, block, values, outside), names[first:], strict=False):
                mask = written_mask(
                    _whole(found, predictor.data.target, outside), source.size_of(Path(name)), source.fit, outside
                )
                left = left or bool((mask == outside).any())
                _save(mask, draft / files[Path(name)])
            first += len(block)
        draft.chmod(0o777 & ~_umask())
        if out.exists():
            out.rmdir()
        os.replace(draft, out)
    except OSError as error:
        raise cannot_write(out, error, "name another folder") from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    for text in predictor.notes(len(names)):
        note(text)
    note(
        _said(len(names), out, list(zip(values, predictor.data.target.classes, strict=True)), outside if left else None)
    )
    return len(names)


def _said(count: int, out: Path, classes: Sequence[tuple[int, str]], outside: int | None) -> str:
    listed = ", ".join(str(value) if str(value) == name else f"{value} {name}" for value, name in classes[:SHOWN])
    more = f" and {len(classes) - SHOWN} more" if len(classes) > SHOWN else ""
    edges = "" if outside is None else f"; {outside} is what the network did not see"
    what = "mask" if count == 1 else "masks"
    return f"wrote {count:,} {what} to `{out}`, PNG with a palette, whose values are {listed}{more}{edges}"


def _targets(files: Sequence[Path], given: Path) -> dict[Path, Path]:
    """The path of each mask in the folder that is written."""
    home = given if given.is_dir() else Path(os.path.commonpath([str(file.absolute().parent) for file in files]))
    found: dict[Path, Path] = {}
    taken: dict[Path, Path] = {}
    for file in files:
        inside = file.absolute().relative_to(home.absolute()).with_suffix(".png")
        other = taken.setdefault(inside, file)
        if other is not file:
            message = f"`{other}` and `{file}` would have the same mask, `{inside}`"
            raise DataError.of("cannot-write", message, help="give one of them another name")
        found[file] = inside
    return found


def _found(predictor: RowPredictor, block: Any, values: Sequence[int], outside: int) -> Array:
    """The value of the likeliest class at each pixel, (samples, height, width) uint8."""
    import numpy as np

    from dlspec.data.preparation import class_shares
    from dlspec.training.values import predict

    shares = class_shares(predict(predictor.model, predictor.taken(np.asarray(block)).values))
    known = np.isfinite(shares).all(axis=-1)
    classes = np.nan_to_num(shares).argmax(axis=-1)
    return np.where(known, np.array(values, "uint8")[classes], np.uint8(outside))


def _whole(found: Array, target: TargetRecord, outside: int) -> Array:
    """A mask of the whole picture, where the network cuts the middle out of it."""
    import numpy as np

    from dlspec.data.preparation.places import in_the_middle

    if not target.cut_from:
        return found
    whole = np.full((1, *target.cut_from), outside, found.dtype)
    in_the_middle(whole, target.places)[0] = found
    return whole[0]


def _save(mask: Array, file: Path) -> None:
    from PIL import Image

    file.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(mask)
    picture = Image.frombytes("P", picture.size, picture.tobytes())
    picture.putpalette([channel for value in range(256) for channel in color_of(value)])
    picture.save(file, optimize=True)


def color_of(value: int) -> tuple[int, int, int]:
    """The color of a value, as that of the masks of PASCAL VOC: 0 is black, and near values are unlike each other."""
    channels = [0, 0, 0]
    for shift in range(7, -1, -1):
        for channel in range(3):
            channels[channel] |= ((value >> channel) & 1) << shift
        value >>= 3
    return channels[0], channels[1], channels[2]


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
