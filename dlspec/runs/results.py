"""New run folders, and the tables and arrays that are written into them: whole files or none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlspec.data.arrays import is_read_later
from dlspec.data.signature import Target
from dlspec.language.diagnostics.errors import DataError
from dlspec.runs.names import PICTURES, PREDICTIONS, file_of
from dlspec.runtime.archives import with_checksum
from dlspec.runtime.cells import as_cell
from dlspec.runtime.files import written_whole
from dlspec.spec.spec import Spec

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from dlspec.data.preparation import Part, Prepared
    from dlspec.evaluation.judged import Judged

MOST_PREDICTIONS = 100_000
"""Of a test part that is not in memory, samples that are written down."""


def new_folder(spec: Spec, out: str | Path | None) -> Path:
    """A folder that did not exist before, so that nothing is overwritten and no two runs share one."""
    if out is not None:
        folder = Path(out)
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise DataError.of(
                "folder-not-empty",
                f"`{folder}` is there already and not empty; a run never overwrites anything",
                help="name a new folder with `--out`",
            )
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _cannot_write(folder, error) from None
        return folder
    home = Path("runs") / spec.name
    try:
        home.mkdir(parents=True, exist_ok=True)
        while True:
            last = max((int(path.name) for path in numbered(home)), default=0)
            folder = home / f"{last + 1:03d}"
            try:
                folder.mkdir()
                return folder
            except FileExistsError:  # another run was quicker
                continue
    except OSError as error:
        raise _cannot_write(home, error) from None


def numbered(home: Path) -> list[Path]:
    if not home.is_dir():
        return []
    return sorted((path for path in home.iterdir() if re.fullmatch(r"\d{3,}", path.name)), key=lambda p: int(p.name))


def _cannot_write(folder: Path, error: OSError) -> DataError:
    return DataError.of(
        "cannot-write",
        f"cannot make the run folder `{folder}`: {(error.strerror or str(error)).lower()}",
        help="name another place with `--out`",
    )


def write_pictures(folder: Path, arrays: Mapping[str, np.ndarray], output: str = "") -> None:
    """
    Args:
        output: as of `file_of`.
    """
    import numpy as np

    with written_whole(folder / file_of(PICTURES, output)) as draft, draft.open("wb") as file:
        np.savez_compressed(file, **with_checksum(arrays))  # type: ignore[arg-type]


def write_predictions(folder: Path, data: Prepared, predictions: Mapping[str, np.ndarray], output: str = "") -> None:
    """The test part, a row a sample: where it stands in the data, truth, network, baselines; of inputs that are given
    back, the squared error of each, and of a class or a number at each place, the share of places that are wrong or the
    mean squared error. Of texts the true one, that which was written, and 1 for each that guesses another one.

    Args:
        output: as of `file_of`.
    """
    import numpy as np

    part, some = data.test, written_places(data.test)
    if len(some) < len(part):
        part, predictions = part.at(some), {name: values[some] for name, values in predictions.items()}
    rows = np.asarray(part.rows)
    table = predictions_table(data, part, predictions, rows if data.origin is None else data.origin[rows])
    with written_whole(folder / file_of(PREDICTIONS, output)) as draft:
        as_cells(table).to_csv(draft, index=False)


def written_places(part: Part) -> np.ndarray:
    """Which samples of the test part are written down: all, unless they are very many and not in memory."""
    import numpy as np

    if is_read_later(part.inputs) and len(part) > MOST_PREDICTIONS:
        return np.linspace(0, len(part) - 1, MOST_PREDICTIONS).astype(int)
    return np.arange(len(part))


def predictions_table(
    data: Judged, part: Part, predictions: Mapping[str, np.ndarray], rows: np.ndarray
) -> pd.DataFrame:
    """A row for each sample; see `write_predictions`.

    Args:
        rows: where each stands in the data, from 0 on.
    """
    import numpy as np
    import pandas as pd

    from dlspec.evaluation.sequences import WRITTEN
    from dlspec.evaluation.verdict import groups_of, losses, squared_errors
    from dlspec.runs.written_texts import texts_of

    target, truth = data.signature.target, np.asarray(part.truth)
    table: dict[str, Any] = {"row": rows}
    groups = groups_of(data, np.asarray(part.rows))
    if groups is not None:
        table["group"] = groups
    if data.times is not None:
        times = data.times[part.rows]
        table["time"] = times.astype("datetime64[s]").astype(str) if times.dtype.kind == "M" else times
    if part.weights is not None:
        table["weight"] = part.weights
    if target.written:
        table |= {"truth": texts_of(truth, target), "written": texts_of(predictions["network"][..., WRITTEN], target)}
    if target.places:
        table |= {name: losses(target.judged_as, truth, guess) for name, guess in predictions.items()}
    elif target.form != "value":
        table |= _by_values(target, truth, predictions)
    elif target.values:
        for i, name in enumerate(target.values):
            table |= {f"{who}:{name}": values[:, i] for who, values in {"truth": truth, **predictions}.items()}
    elif target.kind == "number":
        table |= {"truth": truth, **predictions}
    elif target.kind == "input":
        table |= {name: squared_errors(truth, guess) for name, guess in predictions.items()}
    else:
        labels = np.array(target.classes)
        table["truth"] = labels[truth]
        table |= {name: labels[shares.argmax(axis=1)] for name, shares in predictions.items()}
        table |= {f"p({label})": predictions["network"][:, i] for i, label in enumerate(target.classes)}
    return pd.DataFrame(table)


def _by_values(target: Target, truth: np.ndarray, predictions: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Of each number the truth, the medians, and the other quantiles of the network; of mixtures the means, and of the
    network what is told of it and its weights, means and deviations."""
    from dlspec.evaluation.mixtures import mean_of, told

    table: dict[str, np.ndarray] = {}
    for i, value in enumerate(target.values or [None]):
        end = "" if value is None else f":{value}"
        own = {who: found if value is None else found[:, i] for who, found in predictions.items()}
        table[f"truth{end}"] = truth if value is None else truth[:, i]
        names = target.names_of(f"network{end}")
        if target.mixture:
            table |= {f"{who}{end}": mean_of(found) for who, found in own.items()}
            table |= dict(zip(target.told_of(f"network{end}"), told(own["network"]).T, strict=True))
            table |= dict(zip(names, own["network"].T, strict=True))
            continue
        table |= {f"{who}{end}": found[:, target.median] for who, found in own.items()}
        table |= {name: own["network"][:, place] for place, name in enumerate(names) if place != target.median}
    return table


def as_cells(table: pd.DataFrame) -> pd.DataFrame:
    """Words of a table so that no spreadsheet takes them for formulas; see `as_cell`."""
    for name in table:
        if table[name].dtype.kind not in "biufM":
            table[name] = [as_cell(str(word)) for word in table[name]]
    return table
