"""`load_data` of arrays that numpy has saved, and of series in `.ts` files."""

from __future__ import annotations

from pathlib import Path

from dlspec.data.sources.arrays import ArrayFiles
from dlspec.data.sources.series_archives import SUFFIX
from dlspec.ejection.checking import Expected, result_of
from dlspec.ejection.naming import held_names
from dlspec.ejection.prose import define
from dlspec.ejection.python import Code, literal, statement
from dlspec.ejection.rows import SECTION
from dlspec.ejection.script import Script
from dlspec.ejection.subject import Subject
from dlspec.ejection.tables import Write


def array_writer(subject: Subject, files: ArrayFiles, expected: Expected, function: str = "load_data") -> Write | None:
    """What writes `load_data`; None: there is no plain way."""
    if files.paths[0].lower().endswith(SUFFIX):
        return _of_archives(subject, files, expected, function)
    if list(files.describe().features) != [column.name for column in subject.data.signature.features]:
        return None
    names = sorted(files._stored())

    def write(script: Script) -> None:
        roles = dict(zip(files.roles, files.paths, strict=False))
        held = {name: _named(subject, files, name, roles) for name in names}
        with_y = function == "load_data" and subject.target.kind != "input"
        x = _joined(held, "x")
        lines = [f"x = {x}"]
        about = f"The samples of {', '.join(Path(path).name for path in files.paths)}"
        if with_y:
            y, of_y = _target(script, subject, files, held)
            lines += y
            about += f" and {of_y}"
        if not files.roles:
            path = subject.path((files.folder / files.paths[0]).absolute())
            lines = [f"with np.load({path}) as arrays:", *(f"    {line}" for line in lines)]
        lines.append("return x, y" if with_y else "return x, None" if function == "load_data" else "return x")
        define(script, SECTION, f"{function}()", f"{about}.", lines)

    found = result_of(write, subject.folder, function)
    return None if expected.differences(found, with_y=function == "load_data") else write


def _of_archives(subject: Subject, files: ArrayFiles, expected: Expected, function: str) -> Write | None:
    """Of `.ts` files, that of the test behind that for training."""
    with_y = function == "load_data" and subject.target.kind != "input"
    roles = files.roles or ("",)
    ordered = sorted(zip(roles, files.paths, strict=True), key=lambda each: each[0] == "test")
    paths = [subject.path((files.folder / path).absolute()) for _, path in ordered]
    labelled = any(name.startswith("y") for name in files._stored())

    def write(script: Script) -> None:
        read = script.use("archives", "read_archive", SECTION)
        if len(paths) == 1:
            lines = [f"rows = {read}({paths[0]})"]
        else:
            lines = [statement("files", paths, 4), f"rows = [row for file in files for row in {read}(file)]"]
        given = "[row[:-1] for row in rows]" if labelled else "rows"
        x = f"{script.use('archives', 'as_series', SECTION)}({given})"
        about = f"The series of {', '.join(path for _, path in ordered)}, (series, timesteps, dimensions)"
        if with_y and subject.target.kind == "class":
            classes = held_names(script, "classes", list(subject.target.classes), SECTION)
            indices = script.use("tables", "class_indices", SECTION)
            lines.append(f"labels = {indices}([row[-1].strip() for row in rows], {classes})")
            about += ", and the place of the class of each"
        elif with_y:
            lines.append('labels = np.array([row[-1] for row in rows], "float64")')
            about += ", and the number of each"
        end = ", labels" if with_y else ", None" if function == "load_data" else ""
        define(script, SECTION, f"{function}()", f"{about}.", [*lines, f"return {x}{end}"])

    found = result_of(write, subject.folder, function)
    return None if expected.differences(found, with_y=function == "load_data") else write


def _named(subject: Subject, files: ArrayFiles, name: str, roles: dict[str, str]) -> str:
    """The source of one array."""
    if not roles:
        return f"arrays[{literal(name)}]"
    return f"np.load({subject.path((files.folder / roles[name]).absolute())})"


def _joined(held: dict[str, str], name: str) -> str:
    """The source of an array with that of the test part behind it."""
    if name in held:
        return held[name]
    train, test = held[f"{name}_train"], held.get(f"{name}_test")
    return train if test is None else f"np.concatenate([{train}, {test}])"


def _target(script: Script, subject: Subject, files: ArrayFiles, held: dict[str, str]) -> tuple[list[str], str]:
    """The lines that make `y`, and what it is."""
    target = subject.target
    described = files.describe()
    by_default = list(target.names) == list(described.targets) and {"y", "y_train"} & {*held}
    name = "y" if by_default else target.names[0]
    values = _joined(held, name)
    if target.kind == "class":
        shape = files._joined(files._stored())[0][name].shape
        if len(shape) == 2:
            values = f"{values}.argmax(axis=1)" if shape[1] > 1 else f"{values}[:, 0]"
        if list(target.classes) == [str(place) for place in range(len(target.classes))]:
            return [f'y = {values}.astype("int64")'], "the place of each one's class"
        indices = script.use("tables", "class_indices", SECTION)
        classes = held_names(script, "classes", list(target.classes), SECTION)
        return [f"y = {indices}({values}.astype(str), {classes})"], "the place of each one's class"
    if target.kind == "labels":
        return [f'y = {values}.astype("uint8")'], "the labels of each"
    if by_default or len(target.names) == 1:
        flat = "" if len(target.names) > 1 else ".reshape(-1)"
        return [f'y = {values}.astype("float64"){flat}'], "the numbers to predict"
    several = Code(", ".join(_joined(held, each) for each in target.names))
    return [f'y = np.stack([{several}], axis=1).astype("float64")'], "the numbers to predict"
