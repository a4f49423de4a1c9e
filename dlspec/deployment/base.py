"""What an export target declares: how its files are called, how a network is written, and how it is run."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from dlspec.language.diagnostics.errors import DataError
from dlspec.language.fields import Flag
from dlspec.language.registry import Kind, Registry
from dlspec.language.words import did_you_mean, one_of

if TYPE_CHECKING:
    import numpy as np

    from dlspec.deployment.steps import Program, Value

    Array = np.ndarray

DEFAULT = "keras"


class CannotExport(Exception):
    """The format, or what writes it, cannot do something that the network does; the message says what.

    Args:
        names_layer: whether it says which layer that is.
    """

    def __init__(self, said: str, names_layer: bool = False) -> None:
        super().__init__(said)
        self.names_layer = names_layer


@dataclass(frozen=True)
class Loaded:
    """An exported file, opened in the runtime that it is for.

    Args:
        run: arrays (rows, ...) by the names of its inputs -> its outputs.
        batch: how many rows it takes at a time; None: any number.
        runtime: name and version of what runs it.
        threads: on how many it runs; None: as many as the runtime takes.
    """

    run: Callable[[Mapping[str, Array]], list[Array]]
    batch: int | None
    runtime: str
    threads: int | None = 1


class ExportTarget(Kind):
    """Base of the formats that a trained network is written in."""

    suffixes: ClassVar[tuple[str, ...]]
    """How the names of its files end, the usual one first; of a folder, as its name does, without a dot."""
    modules: ClassVar[tuple[str, ...]] = ()
    """Modules that writing and running it needs beside those of a network."""
    others: ClassVar[tuple[str, ...]] = ()
    """How files end that are written beside the first one, by the name of which they are called."""

    quantize: Flag = False

    quantizes: ClassVar[bool] = False
    """Whether the weights can be written as whole numbers of 8 bits."""
    of_places: ClassVar[bool] = True
    """Whether it can be of networks that give an answer at each place of a sample."""

    @abstractmethod
    def write(self, model: Any, path: Path) -> Program | None:
        """Writes a `keras.Model`, which takes raw columns, whole or not at all.

        Returns:
            The steps that stand outside of the file, around what is in it; None: there are none, and it takes the raw
            columns of the model.

        Raises:
            CannotExport: the format cannot do what the network does.
            OSError: the system does not let it be written.
        """

    def load(self, path: Path) -> Loaded | None:
        """Opens what was written in the runtime that it is for; None: nothing is there that runs it."""
        return None

    def advice(self, inputs: Sequence[Value]) -> str:
        """How what was written must be called, where the usual way gives other values; empty: there is no such way.

        Args:
            inputs: raw columns.
        """
        return ""

    def files(self, path: Path) -> list[Path]:
        """What is written: the file or folder of that name, and the files beside it."""
        return [path, *(path.with_suffix(ending) for ending in self.others)]

    def finish(self, path: Path, facts: Mapping[str, Any]) -> None:
        """Puts into what was written what is known once it was run.

        Args:
            facts: `name`, `description` and `version`; `fit` of pictures and `rate` of sounds; `signature`,
                `preprocessing` and `rows` as the files of these names have them, `preprocessing` also where no steps
                stand outside; `allowed`, how far outputs may differ.
        """

    @property
    def is_folder(self) -> bool:
        return not self.suffixes[0].startswith(".")


EXPORT_TARGETS: Registry[ExportTarget] = Registry("export target", "dlspec.deployment.targets")


def choose_target(path: Path | None, format: str | None, quantize: bool = False) -> ExportTarget:
    """The target of that name, or else the one whose files are called so.

    Raises:
        DataError: there is none, or the file would be called otherwise, or it is not quantized.
    """
    if format is not None and format not in EXPORT_TARGETS:
        help = did_you_mean(format, EXPORT_TARGETS, otherwise=f"there are {one_of(EXPORT_TARGETS)}")
        raise DataError.of("unknown-export-target", f"there is no format `{format}`", help=help)
    if format is None and path is not None:
        named = [name for name, kind in EXPORT_TARGETS.load_all().items() if path.suffix in kind.suffixes]
        if not named:
            said = f"no format has files that end in `{path.suffix}`" if path.suffix else f"`{path}` names no format"
            raise DataError.of("unknown-export-target", said, help=f"write {_suggestions(path)}")
        format = named[0]
    kind = EXPORT_TARGETS[format or DEFAULT]
    if quantize and not kind.quantizes:
        able = [name for name, other in EXPORT_TARGETS.load_all().items() if other.quantizes]
        said = f"the format `{kind.type_name}` is not quantized"
        raise DataError.of(
            "cannot-export", said, help=f"leave `--quantize` out, or write {' or '.join(f'`{name}`' for name in able)}"
        )
    target = kind(quantize=quantize)
    if path is not None and not target.is_folder and path.suffix not in target.suffixes:
        said = f"`{path}` is no name of a file of the format `{target.type_name}`"
        raise DataError.of("unknown-export-target", said, help=f"write `{path.with_suffix(target.suffixes[0])}`")
    return target


def _suggestions(path: Path) -> str:
    """The path as each format would call it."""
    kinds = [kind for kind in EXPORT_TARGETS.load_all().values() if kind.suffixes[0].startswith(".")]
    return " or ".join(f"`{path.with_suffix(kind.suffixes[0])}`" for kind in kinds)
