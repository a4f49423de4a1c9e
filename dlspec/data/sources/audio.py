"""Sounds in WAV files."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from functools import cache
from math import gcd
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, Self

from pydantic import BeforeValidator, Field

from dlspec.data.sources.base import SourceContext
from dlspec.data.sources.folders import Broken, FileSamples, FolderFiles, Listing, as_path
from dlspec.language.diagnostics.errors import DataError
from dlspec.language.fields import PositiveInt, PositiveNumber, SpecModel, Text
from dlspec.runtime.packages import require

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray


HIGHEST_RATE = 10**6
"""Samples a second that sounds are brought to at most."""


class Audio(SpecModel):
    """Sounds in WAV files: a folder with a folder for each class, or a table with a column of paths."""

    path: Text = Field(description="the folder, or the table, whose column of paths begins in its own folder")
    rate: PositiveInt | None = Field(
        None,
        le=HIGHEST_RATE,
        description="samples a second that every sound is brought to; by default all have the same",
    )
    seconds: PositiveNumber | None = Field(
        None, description="how much of each is kept, silence behind a shorter one; by default all are as long"
    )
    column: Text | None = Field(None, description="of a table, the column of paths; by default the first one")
    broken: Broken = Field("error", description="what happens to files that cannot be read")


AnyAudio = Annotated[Audio, BeforeValidator(as_path)]


@dataclass(frozen=True)
class AudioFiles(FolderFiles):
    """Sounds, each (samples,) from -1 to 1: one channel, one rate, one length.

    Args:
        rate: samples a second that each is brought to; None: all have the same.
        seconds: how much of each is kept from its beginning, silence behind a shorter one; None: all are as long.
    """

    rate: int | None = None
    seconds: float | None = None

    @classmethod
    def of(cls, given: Audio, context: SourceContext) -> Self:
        options = (given.column, given.broken, given.rate, given.seconds)
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

    key = "audio"
    entry = "sound"
    noun = "sounds"
    suffixes = (".wav", ".wave")

    def _shape(self, listing: Listing) -> tuple[int, ...]:
        rate = self._rate(listing)
        if self.seconds is not None:
            return (max(1, round(self.seconds * rate)),)
        heads = self._heads(self._look, listing.files)
        lengths = {-(-frames * rate // own): file for file, (own, frames) in heads.items()}
        if len(lengths) > 1:
            low, high = min(lengths), max(lengths)
            said = f"`{self._shown(lengths[low])}` has {low / rate:.3g} seconds, and `{self._shown(lengths[high])}` "
            help = f"write `{self.key}: {{path: {self.paths[0]}, seconds: {high / rate:.3g}}}`"
            raise self._error("sizes-differ", f"sounds have different lengths: {said}{high / rate:.3g}", help)
        return (next(iter(lengths)),)

    def _rate(self, listing: Listing) -> int:
        if self.rate is not None:
            return self.rate
        rates = {rate: file for file, (rate, _) in self._heads(self._look, listing.files).items()}
        if len(rates) > 1:
            (one, first), (other, second) = list(rates.items())[:2]
            said = f"`{self._shown(first)}` has {one:,} samples a second, and `{self._shown(second)}` {other:,}"
            help = f"write `{self.key}: {{path: {self.paths[0]}, rate: {min(rates)}}}`"
            raise self._error("sizes-differ", f"sounds have different rates: {said}", help)
        return next(iter(rates))

    def rate_brought_to(self) -> int:
        """Samples a second that each sound is brought to."""
        return self.rate if self.rate is not None else self._rate(self._listing())

    def rate_of_first(self) -> int:
        """Samples a second of the first file."""
        return next(iter(self._heads(self._look, self._listing().files).values()))[0]

    def _look(self, file: Path) -> tuple[int, int]:
        """Samples a second, and how many there are, out of the head of a file in the RIFF format."""
        try:
            with file.open("rb") as opened:
                return _head(opened)
        except OSError as error:
            raise self._unreadable(self._shown(file), error) from None
        except EOFError:
            raise self._broken(file, "it is cut off") from None
        except (struct.error, ValueError):
            raise self._broken(file, "it is no WAV file") from None

    def _samples(self, listing: Listing, shape: tuple[int, ...]) -> FileSamples:
        require("scipy", what=f"`{self.key}`", span=self.span)
        rate = self._rate(listing)
        return FileSamples(listing.files, shape, "float32", lambda file: self._sound(file, rate, shape[0]))

    def _sound(self, file: Path, rate: int, length: int) -> Array:
        """One sound, as those of this source; (length,) float32."""
        import numpy as np

        own, values = self._opened(file)
        if values.dtype.kind in "iu":
            most = 2.0 ** (8 * values.dtype.itemsize - 1)
            numbers = values.astype("float32") / most - (1.0 if values.dtype.kind == "u" else 0.0)
        else:
            numbers = values.astype("float32")
        if numbers.ndim == 2:
            numbers = numbers.mean(axis=1)
        if own != rate:
            from scipy.signal import resample_poly

            common = gcd(own, rate)
            numbers = resample_poly(numbers, rate // common, own // common).clip(-1, 1)
        if not np.isfinite(numbers).all():
            raise self._error("data-unreadable", f"`{self._shown(file)}` has values that are no numbers")
        kept = np.zeros(length, "float32")
        kept[: len(numbers)] = numbers[:length]
        return kept

    def _opened(self, file: Path) -> tuple[int, Array]:
        """Samples a second, and the values as they stand in the file."""
        self._look(file)
        try:
            rate, values = _wavfile().read(file)
        except OSError as error:
            raise self._unreadable(self._shown(file), error) from None
        except (ValueError, struct.error, EOFError) as error:
            cut = "ncomplete" in str(error) or "reshape" in str(error)
            raise self._broken(file, "it is cut off" if cut else "it is no WAV file") from None
        if not len(values):
            raise self._error("data-unreadable", f"`{self._shown(file)}` has no sound in it", "remove it")
        return int(rate), values

    def _broken(self, file: Path, reason: str) -> DataError:
        said = f"cannot read `{self._shown(file)}`: {reason}"
        return self._error("data-unreadable", said, self._skipping())


@cache
def _wavfile() -> Any:
    """SciPy's module of WAV files, which warns of parts of a file that are no sound no more.

    What it warns of is ignored for good, since files are read by several threads, and the filters are theirs together.
    """
    import warnings

    from scipy.io import wavfile

    warnings.filterwarnings("ignore", category=wavfile.WavFileWarning)
    return wavfile


def _head(opened: BinaryIO) -> tuple[int, int]:
    """Samples a second, and how many there are.

    Raises:
        ValueError, struct.error: there is no such head.
        EOFError: the file ends before the samples do.
    """
    kind = opened.read(4)
    if kind not in (b"RIFF", b"RIFX", b"RF64"):
        raise ValueError
    order = ">" if kind == b"RIFX" else "<"
    opened.seek(12)
    rate = bytes_each = large = 0
    while True:
        name, size = struct.unpack(f"{order}4sI", opened.read(8))
        if name == b"fmt ":
            _, _, rate, _, bytes_each = struct.unpack(f"{order}HHIIH", opened.read(14))
            size -= 14
        elif name == b"ds64":  # of a large file: sizes that take more than four bytes
            _, large = struct.unpack("<QQ", opened.read(16))
            size -= 16
        elif name == b"data":
            if not rate or not bytes_each:
                raise ValueError
            size = large or size
            if opened.tell() + size > opened.seek(0, os.SEEK_END):
                raise EOFError
            return rate, size // bytes_each
        opened.seek(size + size % 2, 1)
