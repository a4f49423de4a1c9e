"""Masks of pictures: a picture of the same name in another folder, whose values are the classes of the pixels."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self

from dlspec.data.arrays import chosen
from dlspec.data.datasets import Column, Columns, Description, Loaded
from dlspec.data.sources.base import SourceContext, files_state, fits_in_memory
from dlspec.data.sources.folders import TEST, TRAINING, VALIDATION, FileSamples, Listing, is_table
from dlspec.data.sources.images import Fit, ImageFiles, Images, Pictures, fitted
from dlspec.data.sources.known_files import absolute
from dlspec.data.sources.reading import reading_briefly
from dlspec.data.sources.walking import Walk, remembered
from dlspec.language.diagnostics.errors import DataError
from dlspec.language.words import one_of

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray

MASK = "mask"
"""The column with the class of each pixel."""
LOSSLESS = (".png", ".bmp", ".gif", ".tif", ".tiff")
LOSSY = (".jpg", ".jpeg", ".webp")
SHOWN = 5
"""Names in a message."""
GREY_STEPS = {"L;2": 85, "L;4": 17}
"""What Pillow multiplies the values of grey pictures of 2 and 4 bits by."""


class Head(NamedTuple):
    """What is known of a mask: height and width, upright, and the values that it has."""

    size: tuple[int, int]
    values: frozenset[int]


@dataclass(frozen=True)
class MaskedFiles(ImageFiles):
    """Pictures, and with each the class of every pixel; without `masks` in the spec, as `ImageFiles`.

    `paths` are the folder of the pictures, or their table, and the folder of the masks.

    Args:
        classes: value in a mask -> its name, where the spec names them; None: every value that masks have is a class.
        ignore: values of pixels that do not count.
    """

    classes: tuple[tuple[int, str], ...] | None = None
    ignore: tuple[int, ...] = ()

    @classmethod
    def of(cls, given: Pictures, context: SourceContext) -> Any:
        if not isinstance(given, Images) or given.masks is None:
            return ImageFiles.of(given, context)
        options = (given.column, given.broken, given.size, given.color, given.fit)
        named = None if given.classes is None else tuple(sorted(given.classes.items()))
        paths = (given.path, given.masks)
        return cls(
            paths,
            context.folder,
            context.span,
            context.cache,
            *options,
            named,
            tuple(given.ignore or ()),
            training=context.training,
        )

    def written(self, given: Any, paths: Sequence[str]) -> Any:
        return {**given, "path": paths[0], "masks": paths[1]}

    @property
    def pictures(self) -> ImageFiles:
        """The pictures alone."""
        options = (self.column, self.broken, self.size, self.color, self.fit)
        return ImageFiles(self.paths[:1], self.folder, self.span, self.cache, *options, training=self.training)

    def opened(self, file: Path, shape: tuple[int, ...]) -> tuple[str, list[str], FileSamples]:
        return self.pictures.opened(file, shape)

    def labelled(self, file: Path, shape: tuple[int, ...]) -> Columns:
        """Other pictures with their masks: of a folder in which both folders stand, called as those in the spec."""
        if not file.is_dir():
            help = "name the folder in which both stand"
            raise DataError.of("data-unreadable", f"`{file}` is no folder with pictures and masks", help=help)
        names = apart(self.folder / self.paths[0], self.folder / self.paths[1])
        absent = [name for name in names if not (file / name).exists()]
        if absent:
            help = f"pictures stand in `{file / names[0]}`, and their masks in `{file / names[1]}`"
            what = "table" if is_table(Path(absent[0])) else "folder"
            raise DataError.of("data-not-found", f"there is no {what} `{file / absent[0]}`", help=help)
        known = tuple(zip(self.values, self.names, strict=True))
        other = replace(self, paths=names, folder=file, span=None, classes=known)
        listing = other._listing()
        pairs = other._pairs(listing)
        other._check(listing, pairs)
        pictures: Any = other._samples(listing, shape)
        masks: Any = other._mask_samples(pairs, (shape[0], shape[1]))
        return {other.entry: pictures, MASK: masks, **other._beside(listing)}

    @property
    def values(self) -> tuple[int, ...]:
        """The value of each class in a mask, in their order."""
        if self.classes is not None:
            return tuple(value for value, _ in self.classes)
        listing = self._listing()
        pairs = self._pairs(listing)
        heads = self._mask_heads(pairs[: self._deciding(len(pairs), listing.tests)])
        return tuple(sorted({value for head in heads for value in head.values} - {*self.ignore}))

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each class, in their order."""
        return tuple(dict(self.classes).values()) if self.classes is not None else tuple(map(str, self.values))

    def values_of(self, names: Sequence[str]) -> tuple[int, ...]:
        """The value in a mask of each class by its name, without a look at masks."""
        known = {name: value for value, name in self.classes or ()}
        return tuple(known[name] if name in known else int(name) for name in names)

    def knowing(self, names: Sequence[str]) -> Self:
        """The same with the classes of a run, which then need not be looked for in the masks that it was trained on."""
        return replace(self, classes=tuple(zip(self.values_of(names), names, strict=True)))

    def size_of(self, file: Path) -> tuple[int, int]:
        """Height and width of a picture, upright."""
        return self._look(file)[0]

    def _described(self) -> Description:
        listing = self._listing()
        pairs = self._pairs(listing)
        shape = self._shape(listing)
        self._check(listing, pairs)
        entry = self._entry_column(shape)
        mask = Column(MASK, "class", shape[:2], self.names, numbered=True)
        others: tuple[Column, ...] = ()
        if listing.table is not None:
            others = tuple(c for c in listing.table.describe().columns if c.name not in (listing.column, MASK))
        return Description(
            "samples",
            (entry, mask, *others),
            target=MASK,
            rows=len(listing.files),
            test_rows=listing.tests,
            features=(self.entry,),
        )

    def load_parts(self, seed: int) -> Loaded:
        import numpy as np

        listing = self._listing()
        pairs = self._pairs(listing)
        shape = self._shape(listing)
        self._check(listing, pairs)
        columns: Columns = {}
        problems: dict[int, DataError] = {}
        for name, samples in (
            (self.entry, self._samples(listing, shape)),
            (MASK, self._mask_samples(pairs, (shape[0], shape[1]))),
        ):
            entry: Any = samples
            found: dict[int, DataError] = {}
            if fits_in_memory(samples.shape, samples.dtype, self.cache):
                entry, found = samples.read_all()
            elif self.broken == "skip":
                found = samples.problems()
            columns[name] = entry
            problems = {**found, **problems}
        columns |= self._beside(listing)
        if not problems:
            return Loaded(columns, 0, listing.tests)
        ordered = [problems[row] for row in sorted(problems)]
        whole = np.setdiff1d(np.arange(len(pairs)), list(problems))
        if self.broken == "error" or not len(whole):
            raise self._said_once(ordered)
        tests = int((whole >= len(pairs) - listing.tests).sum()) if listing.tests else 0
        note = (
            f"{len(problems)} of {len(pairs)} pictures were skipped, as they or their masks cannot be read; the first: "
            f"{ordered[0].diagnostics[0].message}."
        )
        return Loaded({name: chosen(own, whole) for name, own in columns.items()}, 0, tests, (note,))

    def _beside(self, listing: Listing) -> Columns:
        """What a table that names the pictures says of each besides."""
        others = {} if listing.table is None else listing.table.load(0)
        return {name: own for name, own in others.items() if name not in (listing.column, MASK)}

    def load(self, seed: int) -> Columns:
        return self.load_parts(seed).columns

    # --- which files

    def _listing(self) -> Listing:
        path, masks = self.paths
        whole, other = self._existing(path), self._existing(masks)
        if not other.is_dir():
            raise self._error("data-unreadable", f"`{masks}` is a file, and masks stand in a folder")
        if whole.is_file() and is_table(whole):
            return self.pictures._named(path)
        if whole.is_file():
            return self.pictures._listing()
        if whole.resolve() == other.resolve():
            help = "put the masks into a folder of their own"
            raise self._error("data-unreadable", f"`{path}` is named for the pictures and for their masks", help)
        try:
            files = _files_below(whole, self.suffixes, other)
        except OSError as error:
            raise self._unreadable(error.filename or path, error) from None
        parts = {file.relative_to(whole).parts[0].lower() for file in files if file.parent != whole}
        is_split = all(file.parent != whole for file in files) and parts <= {*TRAINING, *VALIDATION, *TEST}
        tests = [file for file in files if file.relative_to(whole).parts[0].lower() in TEST] if is_split else []
        if len(tests) == len(files):
            tests = []
        rest = [file for file in files if file not in {*tests}]
        return self._filled(Listing((*rest, *tests), None, len(tests)), path)

    def _pairs(self, listing: Listing) -> list[tuple[Path, Path]]:
        """Each picture and its mask.

        Raises:
            DataError: some have no mask, or masks have no picture, or two have the same name.
        """
        return self._paired(listing.files, by_name=listing.table is not None)

    def _paired(self, files: Sequence[Path], *, by_name: bool) -> list[tuple[Path, Path]]:
        """See `_pairs`; `by_name`: names alone say which belong together, and masks may be left over."""
        path, masks = (self.folder / name for name in self.paths)
        whole = masks if by_name or path.is_file() else path
        try:
            found = _files_below(masks, (*LOSSLESS, *LOSSY), path)
        except OSError as error:
            raise self._unreadable(error.filename or self.paths[1], error) from None
        lossy = [file for file in found if file.name.lower().endswith(LOSSY)]

        def key(file: Path, folder: Path) -> str:
            return file.stem if by_name else str(file.relative_to(folder).with_suffix(""))

        of_masks = self._by_key(found, lambda file: key(file, masks), "masks")
        of_files = self._by_key(files, lambda file: key(file, whole), "pictures")
        without = [file for name, file in of_files.items() if name not in of_masks]
        alone = [] if by_name else [file for name, file in of_masks.items() if name not in of_files]
        if without or alone:
            parts = [
                f"{count:,} of {len(all_of):,} {what} {'has' if count == 1 else 'have'} {lacking}: {self._listed(some)}"
                for some, all_of, what, lacking in (
                    (without, of_files, "pictures", f"no mask in `{self.paths[1]}`"),
                    (alone, of_masks, "masks", "no picture"),
                )
                if (count := len(some))
            ]
            help = (
                "a mask is called as its picture, `a.png` beside `a.jpg`, and stands in the same folder below its own"
            )
            raise self._error("masks-unpaired", "; ".join(parts), f"{help}; take the others away")
        if lossy:
            said = f"{len(lossy):,} of {len(found):,} masks are in a format that changes values: {self._listed(lossy)}"
            raise self._error("mask-colors", said, "save masks as PNG")
        return [(file, of_masks[name]) for name, file in of_files.items()]

    def _by_key(self, files: Iterable[Path], key: Callable[[Path], str], what: str) -> dict[str, Path]:
        found: dict[str, Path] = {}
        for file in files:
            other = found.setdefault(key(file), file)
            if other is not file:
                said = f"two {what} have the same name: `{self._shown(other)}` and `{self._shown(file)}`"
                raise self._error("masks-unpaired", said, "give one of them another name, or take it away")
        return found

    def _listed(self, files: Sequence[Path]) -> str:
        more = f" and {len(files) - SHOWN:,} more" if len(files) > SHOWN else ""
        return ", ".join(f"`{self._shown(file)}`" for file in files[:SHOWN]) + more

    # --- what is in masks

    def _mask_heads(self, pairs: Sequence[tuple[Path, Path]]) -> list[Head]:
        """What is known of each mask; those that cannot be read are left out where they are skipped."""
        found = _heads_of(self._head, files_state(mask for _, mask in pairs), self.broken == "skip")
        return [head for head in found if isinstance(head, Head)]

    def _head(self, file: Path) -> Head:
        with self._opened(file) as picture:
            values = self._plain(file, picture)
            counts = values.histogram()
            return Head(values.size[::-1], frozenset(value for value, count in enumerate(counts) if count))

    def _plain(self, file: Path, picture: Any) -> Any:
        """A mask as a picture of one channel, upright, with the values that stand in the file.

        Of a palette these are its indices. A picture with colors is grey where its three channels are the same.
        """
        from PIL import Image, ImageChops, ImageOps

        step = _grey_step(picture)
        upright = ImageOps.exif_transpose(picture)
        mode = upright.mode
        if mode == "P":
            return Image.frombytes("L", upright.size, upright.tobytes())
        if mode == "PA":
            return Image.frombytes("L", upright.size, upright.getchannel(0).tobytes())
        if mode == "1":
            return upright.convert("L").point(lambda value: value // 255)
        if mode in ("L", "LA"):
            grey = upright if mode == "L" else upright.getchannel(0)
            return grey if step == 1 else grey.point(lambda value: value // step)
        if mode in ("RGB", "RGBA", "RGBX"):
            red, green, blue = upright.split()[:3]
            if all(ImageChops.difference(red, other).getbbox() is None for other in (green, blue)):
                return red
            said = f"`{self._shown(file)}` is a mask with colors, and nothing says which class a color is"
            help = "save the number of the class at each pixel, as a PNG of one channel or with a palette"
            raise self._error("mask-colors", said, help)
        said = f"`{self._shown(file)}` is a mask of 16 bits or more" if mode[0] in "IF" else f"`{self._shown(file)}`"
        said += "" if mode[0] in "IF" else f" is a mask of the kind {mode}"
        raise self._error("mask-colors", said, "save masks with 8 bits, one channel: values from 0 to 255")

    def _check(self, listing: Listing, pairs: Sequence[tuple[Path, Path]]) -> None:
        """Raises DataError where masks have other values than classes, or are not as large as their pictures."""
        heads = dict(zip((mask for _, mask in pairs), self._all_heads(pairs), strict=True))
        known = {*self.values, *self.ignore}
        unknown: dict[int, list[Path]] = {}
        for mask, head in heads.items():
            if isinstance(head, Head):
                for value in head.values - known:
                    unknown.setdefault(value, []).append(mask)
        if unknown:
            raise self._unknown(unknown)
        sizes = _sizes_of(self.pictures._look, files_state(file for file, _ in pairs))
        for (_, mask), size in zip(pairs, sizes, strict=True):
            head = heads[mask]
            if size is not None and isinstance(head, Head) and size != head.size:
                (high, wide), (own_high, own_wide) = size, head.size
                said = f"`{self._shown(mask)}` has {own_high} x {own_wide} pixels, and its picture {high} x {wide}"
                turned = (own_wide, own_high) == size
                help = "turn the mask as the picture is shown" if turned else "save masks in the size of their pictures"
                raise self._error("sizes-differ", said, help)

    def _all_heads(self, pairs: Sequence[tuple[Path, Path]]) -> Sequence[Head | DataError]:
        return _heads_of(self._head, files_state(mask for _, mask in pairs), self.broken == "skip")

    def _unknown(self, found: Mapping[int, Sequence[Path]]) -> DataError:
        ordered = sorted(found)
        listed = ", ".join(f"{value} in `{self._shown(found[value][0])}`" for value in ordered[:SHOWN])
        more = f" and {len(ordered) - SHOWN:,} more values" if len(ordered) > SHOWN else ""
        if self.classes is None:
            why = "a value that no mask of the training part has" if len(ordered) == 1 else "such values"
        else:
            why = "which is no class" if len(ordered) == 1 else "which are no classes"
        of = f"{one_of([str(value) for value in self.values[:SHOWN]])}{', …' if len(self.values) > SHOWN else ''}"
        said = f"masks have {len(ordered)} value{'s' * (len(ordered) > 1)} besides {of}, {why}: {listed}{more}"
        shown = ", ".join(map(str, ordered[:SHOWN]))
        value = f"[{shown}]" if len(ordered) > 1 else shown
        help = f"write `ignore: {value}` where these pixels shall not count, or name them under `classes`"
        return self._error("mask-values", said, help)

    def _mask_samples(self, pairs: Sequence[tuple[Path, Path]], size: tuple[int, int]) -> FileSamples:
        """The number of the class at each pixel, -1 where none counts, (files, height, width)."""
        import numpy as np

        table = np.full(256, -2, "int16")
        table[list(self.ignore)] = -1
        table[list(self.values)] = np.arange(len(self.values))

        def read_one(file: Path) -> Array:
            with self._opened(file) as picture:
                values = table[np.asarray(self._plain(file, picture))]
            if (values == -2).any():
                with self._opened(file) as picture:
                    own = np.unique(np.asarray(self._plain(file, picture))[values == -2])
                raise self._unknown({int(value): [file] for value in own})
            return values if values.shape == size else fitted(values, size, self.fit, mask=True)

        return FileSamples([mask for _, mask in pairs], size, "int16", read_one)


def free_value(values: Sequence[int], ignore: Sequence[int]) -> int:
    """What stands for no class in a mask that is written: a value that is ignored, else one that no class has."""
    return next((value for value in (*ignore, *range(255, -1, -1)) if value not in values), 255)


def written_mask(values: Array, size: tuple[int, int], fit: Fit, outside: int) -> Array:
    """A mask as it lies on a picture of some size, from one that was brought to the size of the network.

    Args:
        values: uint8, (height, width).
        size: height and width of the picture.
        outside: the value where the network did not see the picture, which `crop` cuts.
    """
    import cv2
    import numpy as np

    rows, columns = size
    if fit == "stretch":
        return np.asarray(cv2.resize(values, (columns, rows), interpolation=cv2.INTER_NEAREST_EXACT))
    high, wide = values.shape[0] / rows, values.shape[1] / columns
    scale = max(high, wide) if fit == "crop" else min(high, wide)
    inner = (max(1, round(rows * scale)), max(1, round(columns * scale)))
    whole = np.full(inner, outside, values.dtype)
    if fit == "crop":
        top, left = (max(0, (own - given) // 2) for own, given in zip(inner, values.shape, strict=True))
        part = whole[top : top + values.shape[0], left : left + values.shape[1]]
        part[...] = values[: part.shape[0], : part.shape[1]]
    else:
        top, left = (-((own - given) // 2) for own, given in zip(inner, values.shape, strict=True))
        whole[...] = values[top : top + inner[0], left : left + inner[1]]
    return np.asarray(cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_NEAREST_EXACT))


def _grey_step(picture: Any) -> int:
    """What the values of a grey picture of few bits are multiplied by when Pillow reads them."""
    for _, _, _, given in picture.tile:
        raw = given if isinstance(given, str) else given[0] if given else ""
        if raw in GREY_STEPS:
            return GREY_STEPS[raw]
    return 1


def apart(one: Path, other: Path) -> tuple[str, str]:
    """By what two paths differ, without what they begin and end with alike."""
    one, other = one.absolute(), other.absolute()
    if other.is_relative_to(one):
        return ".", str(other.relative_to(one))
    if one.is_relative_to(other):
        return str(one.relative_to(other)), "."
    a, b = one.parts, other.parts
    while len(a) > 1 and len(b) > 1 and a[0] == b[0]:
        a, b = a[1:], b[1:]
    while len(a) > 1 and len(b) > 1 and a[-1] == b[-1]:
        a, b = a[:-1], b[:-1]
    return os.path.join(*a), os.path.join(*b)


def _files_below(folder: Path, suffixes: tuple[str, ...], without: Path) -> list[Path]:
    """Files in a folder and those in it, without hidden ones, and without another folder."""
    what = suffixes, folder, absolute(folder), absolute(without)
    return remembered(what, Walk(reading_briefly()), lambda walk: _walked(walk, folder, suffixes, without))


def _walked(walk: Walk, folder: Path, suffixes: tuple[str, ...], without: Path) -> list[Path]:
    other = without.resolve()
    inside = other.is_relative_to(folder.resolve()) and other != folder.resolve()
    found = []
    for file in walk.files(folder):
        parts = file.relative_to(folder).parts
        if any(part.startswith(".") for part in parts) or not file.name.lower().endswith(suffixes):
            continue
        if inside and file.resolve().is_relative_to(other):
            continue
        found.append(file)
    return sorted(found)


@lru_cache(maxsize=16)
def _heads_of(
    look: Callable[[Path], Head], state: tuple[tuple[str, int, int], ...], skip: bool
) -> tuple[Head | DataError, ...]:
    """What is known of masks while these stay the same; several are read at a time."""
    from concurrent.futures import ThreadPoolExecutor

    def one(name: str) -> Head | DataError:
        try:
            return look(Path(name))
        except DataError as problem:
            if not skip or problem.diagnostics[0].code != "data-unreadable":
                raise
            return problem

    with ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="masks") as pool:
        return tuple(pool.map(one, (name for name, _, _ in state)))


@lru_cache(maxsize=16)
def _sizes_of(
    look: Callable[[Path], tuple[tuple[int, int], Literal["rgb", "grayscale"]]],
    state: tuple[tuple[str, int, int], ...],
) -> tuple[tuple[int, int] | None, ...]:
    """Height and width of pictures; None of one that cannot be read, which is said where it is read."""

    def one(name: str) -> tuple[int, int] | None:
        try:
            return look(Path(name))[0]
        except DataError:
            return None

    return tuple(one(name) for name, _, _ in state)
