"""Pictures in files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, Strict

from dlspec.data.sources.base import SourceContext
from dlspec.data.sources.folders import Broken, FileSamples, FolderFiles, Listing, as_path
from dlspec.language.diagnostics.errors import DataError
from dlspec.language.fields import OneOrMore, Size2D, SpecModel, Text, mistake
from dlspec.runtime.packages import EXTRAS, require

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray

Color = Literal["rgb", "grayscale"]
Fit = Literal["stretch", "crop", "pad"]
LOOKED_AT = 100
"""Pictures whose size is looked at before all are read."""
EXIF = b"Exif\0\0"
"""How the part of a JPEG begins in which cameras write how it was held; others may stand before it."""
MODES = {"rgb": "RGB", "grayscale": "L"}


MaskValue = Annotated[int, Strict(), Field(ge=0, le=255)]
Classes = Annotated[dict[Annotated[int, Field(ge=0, le=255)], Text], Field(min_length=2)]
"""Value in a mask -> the name of the class."""


class Pictures(SpecModel):
    """Pictures in files: a folder with a folder for each class, or a table with a column of paths."""

    path: Text = Field(description="the folder, or the table, whose column of paths begins in its own folder")
    size: Size2D | None = Field(
        None, description="height and width that every picture is brought to; by default all have the same"
    )
    color: Color | None = Field(None, description="three channels or one; by default as the pictures have them")
    fit: Fit = Field(
        "stretch", description="how a picture of another form is brought to `size`: stretched, cut, or with edges"
    )
    column: Text | None = Field(None, description="of a table, the column of paths; by default the first one")
    broken: Broken = Field("error", description="what happens to files that cannot be read")


class Images(Pictures):
    """Pictures in files, and perhaps a mask for each, which says of every pixel what it shows."""

    masks: Text | None = Field(
        None,
        description="a folder with a picture of the same name for each, whose values are the classes of its pixels",
    )
    classes: Classes | None = Field(
        None, description="of masks, the name of each value; by default every value is a class"
    )
    ignore: Annotated[list[MaskValue], OneOrMore] | None = Field(
        None, description="of masks, values of pixels that do not count"
    )

    def model_post_init(self, context: object) -> None:
        if self.masks is None:
            for key in ("classes", "ignore"):
                if getattr(self, key) is not None:
                    message = f"`{key}` is of masks, of which no folder is named"
                    raise mistake("wrong-value", message, help="add `masks: FOLDER`", at="key")
        both = sorted({*(self.classes or {})} & {*(self.ignore or [])})
        if both:
            message = f"the value {both[0]} is a class, and does not count"
            raise mistake("wrong-value", message, help="name it under `classes` or under `ignore`", at="key")
        names = [*(self.classes or {}).values()]
        twice = next((name for i, name in enumerate(names) if name in names[:i]), None)
        if twice is not None:
            message = f"two values of masks are called `{twice}`"
            raise mistake("wrong-value", message, help="give each value a name of its own", at="key")


AnyImages = Annotated[Images, BeforeValidator(as_path)]
AnyPictures = Annotated[Pictures, BeforeValidator(as_path)]


@dataclass(frozen=True)
class ImageFiles(FolderFiles):
    """Pictures, each (height, width, channels) from 0 to 255, upright and of one size.

    Args:
        size: height and width that each is brought to; None: all have the same.
        color: three channels or one; None: as the pictures have them.
        fit: how a picture of another form is brought to the size.
    """

    size: tuple[int, int] | None = None
    color: Color | None = None
    fit: Fit = "stretch"

    @classmethod
    def of(cls, given: Pictures, context: SourceContext) -> Self:
        options = (given.column, given.broken, given.size, given.color, given.fit)
        return cls(
            (given.path,),
            context.folder,
            context.span,
            context.cache,
            *options,
            training=context.training,
            said=context.said,
            groups=context.groups,
        )

    key = "images"
    entry = "picture"
    noun = "pictures"
    suffixes = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff")

    def _shape(self, listing: Listing) -> tuple[int, ...]:
        files = self._of_training(listing)
        chosen = () if self.size and self.color else files[:: max(1, len(files) // LOOKED_AT)]
        found = self._heads(self._look, chosen)
        sizes = {size: file for file, (size, _) in found.items()}
        if self.size is None and len(sizes) > 1:
            (one, first), (other, second) = list(sizes.items())[:2]
            said = f"`{self._shown(first)}` has {one[0]} x {one[1]} pixels, and `{self._shown(second)}` {other[0]} x "
            help = f"write `{self.key}: {{path: {self.paths[0]}, size: [{one[0]}, {one[1]}]}}`"
            raise self._error("sizes-differ", f"pictures have different sizes: {said}{other[1]}", help)
        size = self.size or next(iter(sizes))
        color = self.color or ("rgb" if any(mode == "rgb" for _, mode in found.values()) else "grayscale")
        return (*size, 3 if color == "rgb" else 1)

    def _look(self, file: Path) -> tuple[tuple[int, int], Color]:
        """Height and width, and whether it has colors, out of its head."""
        with self._opened(file) as picture:
            width, height = picture.size
            self._check_range(file, picture)
            if picture.getexif().get(0x0112, 1) >= 5:  # it lies on its side
                width, height = height, width
            grey = picture.mode in ("1", "L", "LA") or picture.mode.startswith("I")
            return (height, width), "grayscale" if grey else "rgb"

    def _check_range(self, file: Path, picture: Any) -> None:
        """Raises DataError where nothing says which number is white: each picture would have a scale of its own."""
        if picture.mode == "F" or (picture.mode == "I" and picture.format != "PNG"):
            what = "fractions" if picture.mode == "F" else "whole numbers of 32 bits"
            said = f"`{self._shown(file)}` holds {what}, and nothing says which of them is white"
            raise self._error("data-unreadable", said, "save pictures with 8 or 16 bits, or give them as `arrays`")

    def _samples(self, listing: Listing, shape: tuple[int, ...]) -> FileSamples:
        require(*EXTRAS["pictures"], what=f"`{self.key}`", span=self.span)
        height, width, channels = shape
        mode = MODES["rgb" if channels == 3 else "grayscale"]

        def read_one(file: Path) -> Array:
            return self._picture(file, (height, width), mode).reshape(shape)

        return FileSamples(listing.files, shape, "uint8", read_one)

    def _picture(self, file: Path, size: tuple[int, int], mode: str) -> Array:
        import numpy as np
        from PIL import ImageOps

        values = self._fast_jpeg(file, size, mode)
        if values is None:
            with self._opened(file) as picture:
                self._check_range(file, picture)
                upright = ImageOps.exif_transpose(picture)
                values = np.asarray(_eight_bits(upright).convert(mode) if upright.mode != mode else upright)
        if values.shape[:2] == size:
            return values
        if self.size is None:
            height, width = size
            said = f"`{self._shown(file)}` has {values.shape[0]} x {values.shape[1]} pixels, and others {height} x "
            help = f"write `{self.key}: {{path: {self.paths[0]}, size: [{height}, {width}]}}`"
            raise self._error("sizes-differ", f"pictures have different sizes: {said}{width}", help)
        return fitted(values, size, self.fit)

    def _fast_jpeg(self, file: Path, size: tuple[int, int], mode: str) -> Array | None:
        """A JPEG, decoded beside other threads, at a half, a quarter or an eighth of its size where that is enough.

        None: it takes what the slower way can do, or is broken.
        """
        if not file.name.lower().endswith((".jpg", ".jpeg")):
            return None
        import simplejpeg
        from PIL import Image

        try:
            content = file.read_bytes()
            rows, columns, _, _ = simplejpeg.decode_jpeg_header(content)
            if EXIF in content or rows * columns > (Image.MAX_IMAGE_PIXELS or rows * columns):
                return None
            part = next(n for n in (8, 4, 2, 1) if n == 1 or (rows // n >= size[0] and columns // n >= size[1]))
            least = {"min_height": -(-rows // part), "min_width": -(-columns // part)} if self.size else {}
            values: Array = simplejpeg.decode_jpeg(content, "GRAY" if mode == "L" else "RGB", **least)
        except (OSError, ValueError):
            return None
        return values[..., 0] if mode == "L" else values

    @contextmanager
    def _opened(self, file: Path) -> Iterator[Any]:
        """The picture; what goes wrong with it in the block becomes a DataError that names the file."""
        pillow = _pillow()
        most = pillow.MAX_IMAGE_PIXELS
        try:
            with pillow.open(file) as picture:
                if most is not None and picture.width * picture.height > most:  # it only warns of up to twice as many
                    raise pillow.DecompressionBombError
                yield picture
        except DataError:
            raise
        except (pillow.DecompressionBombError, pillow.DecompressionBombWarning):
            said = f"`{self._shown(file)}` has more than {most // 10**6} million pixels"
            raise self._error("data-unreadable", said, "make it smaller, or remove it") from None
        except (OSError, ValueError, SyntaxError, EOFError) as error:  # PIL raises them all
            if isinstance(error, OSError) and error.strerror:
                raise self._unreadable(self._shown(file), error) from None
            said = f"`{self._shown(file)}` is no whole picture"
            raise self._error("data-unreadable", said, self._skipping()) from None


@cache
def _pillow() -> Any:
    """Pillow's module of pictures, which warns of odd heads no more: they are no one's mistake here.

    What it warns of is ignored for good, since files are read by several threads, and the filters are theirs together.
    """
    import warnings

    from PIL import Image

    warnings.filterwarnings("ignore", module=r"PIL\.")
    return Image


def fitted(values: Array, size: tuple[int, int], fit: Fit, *, mask: bool = False) -> Array:
    """A picture brought to a size: stretched; or cut, or with black edges, so that its form stays. Between pixels it is
    linear; where it becomes less than half as large, a pixel is the mean of those that it stands for.

    Args:
        mask: of numbers of classes, of which the nearest is taken, with edges of -1.
    """
    import cv2
    import numpy as np

    rows, columns = values.shape[:2]
    high, wide = size[0] / rows, size[1] / columns
    scale = max(high, wide) if fit == "crop" else min(high, wide)
    wanted = size if fit == "stretch" else (max(1, round(rows * scale)), max(1, round(columns * scale)))
    way = cv2.INTER_AREA if min(wanted[0] / rows, wanted[1] / columns) < 0.5 else cv2.INTER_LINEAR
    whole = cv2.resize(values, wanted[::-1], interpolation=cv2.INTER_NEAREST_EXACT if mask else way)
    if wanted == size:
        return whole
    top, left = ((wanted[i] - size[i]) // 2 for i in (0, 1))
    if fit == "crop":
        return whole[max(0, top) :, max(0, left) :][: size[0], : size[1]]
    edged = np.full((*size, *values.shape[2:]), -1 if mask else 0, values.dtype)
    edged[-top : -top + wanted[0], -left : -left + wanted[1]] = whole
    return edged


def _eight_bits(picture: Any) -> Any:
    """A picture of 16 bits brought to numbers from 0 to 255; others as they are."""
    if not picture.mode.startswith("I"):  # `I;16B` too; some versions of Pillow give those of PNG 32 bits
        return picture
    import numpy as np
    from PIL import Image

    values = np.asarray(picture)
    return Image.fromarray((values.astype("float64") * (255 / 65535)).clip(0, 255).round().astype("uint8"))
