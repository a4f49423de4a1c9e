"""`load_data` of samples that stand in a file each: pictures, sounds and texts."""

from __future__ import annotations

from dlspec.data.sources.audio import AudioFiles
from dlspec.data.sources.folders import FolderFiles, Listing
from dlspec.data.sources.images import MODES, ImageFiles
from dlspec.data.sources.texts import TextFiles
from dlspec.ejection.checking import Expected, result_of
from dlspec.ejection.naming import held_names
from dlspec.ejection.prose import define
from dlspec.ejection.python import INDENT, WIDTH, literal, statement, width
from dlspec.ejection.rows import SECTION, Wanted, column, reading
from dlspec.ejection.script import Script
from dlspec.ejection.subject import Subject
from dlspec.ejection.tables import Write, plainest, target_of, wanted_of

COMPARED = 2**28
"""Bytes of samples that are compared with those of dlspec; of more, some of them."""
PICTURES = ("read_picture", "fast_picture", "read_deep_picture")
"""What reads a picture, the plainest first."""
FITS = {"stretch": "stretched", "crop": "cropped", "pad": "padded"}


def folder_writer(
    subject: Subject, files: FolderFiles, expected: Expected, function: str = "load_data"
) -> Write | None:
    """What writes `load_data`, in the plainest way that gives the expected values; None: no way does."""
    listing = files._listing()
    every = 1 + expected.size // COMPARED
    if every > 1 and listing.table is not None:
        every = 1
    expected = expected.each(every)
    for read in PICTURES if isinstance(files, ImageFiles) else ("",):
        if listing.table is not None:
            write = _of_table(subject, files, listing, expected, function, read)
        else:
            write = _of_folder(subject, files, listing, expected, function, read, every)
        if write is not None:
            return write
    return None


def _of_folder(
    subject: Subject, files: FolderFiles, listing: Listing, expected: Expected, function: str, read: str, every: int
) -> Write | None:
    def write(script: Script, some: str = "") -> None:
        lines = [*_listed(script, subject, files, listing), *_without_broken(script, subject, files, listing)]
        if some:  # to compare a part of many
            lines += [f"{name} = {name}{some}" for name in ("files", "labels") if listing.labels or name == "files"]
        x = _samples(script, subject, files, read)
        about = f"The {files.noun} in {files.paths[0]}, {_shape(files, subject)}"
        if function != "load_data" or subject.target.kind == "input":
            end = ", None" if function == "load_data" else ""
            define(script, SECTION, f"{function}()", f"{about}.", [*lines, *_returned(x, end)])
            return
        classes = held_names(script, "classes", list(subject.target.classes), SECTION)
        indices = script.use("tables", "class_indices", SECTION)
        about += ", and the place of the class of each, the name of its folder."
        define(script, SECTION, "load_data()", about, [*lines, *_returned(x, f", {indices}(labels, {classes})")])

    found = result_of(lambda script: write(script, f"[::{every}]" * (every > 1)), subject.folder, function)
    return None if expected.differences(found, with_y=function == "load_data") else write


def _of_table(
    subject: Subject, files: FolderFiles, listing: Listing, expected: Expected, function: str, read: str
) -> Write | None:
    """Of files that a table names."""
    table = listing.table
    assert table is not None, "is asked for where there is one"

    def writer(wanted: Wanted) -> Write:
        def write(script: Script) -> None:
            lines = reading(script, subject, table, wanted)
            folder = subject.path((table.folder / table.paths[0]).absolute().parent)
            lines.append(f"files = [({folder}) / name.strip() for name in {column(listing.column)}]")
            lines += _without_broken(script, subject, files, listing)
            x = _samples(script, subject, files, read)
            about = f"The {files.noun} that {table.paths[0]} names, {_shape(files, subject)}"
            if function != "load_data":
                define(script, SECTION, f"{function}()", f"{about}.", [*lines, *_returned(x, "")])
                return
            what, before, y = target_of(script, subject, table, wanted)
            define(
                script,
                SECTION,
                "load_data()",
                f"{about}, and {what}.",
                [*lines, *before, *_returned(x, f", {literal(y)}")],
            )

        return write

    of_target = wanted_of(subject, with_target=function == "load_data")
    names = [name for name in (*of_target.words, *of_target.numbers) if name in subject.target.names]
    words = [listing.column, *(name for name in of_target.words if name in names)]
    wanted = Wanted(tuple(words), tuple(name for name in of_target.numbers if name in names))
    return plainest(writer, wanted, subject, table, expected, function)


def _listed(script: Script, subject: Subject, files: FolderFiles, listing: Listing) -> list[str]:
    """The lines that find the files in `files`, and the class of each in `labels`."""
    folder = subject.path((files.folder / files.paths[0]).absolute())
    suffixes = script.constant("suffixes", sorted({file.suffix.lower() for file in listing.files}), SECTION)
    if listing.labels is None:
        return [f"files = {script.use('files', 'files_in', SECTION)}({folder}, {suffixes})"]
    by_class = script.use("files", "files_by_class", SECTION)
    whole = (files.folder / files.paths[0]).absolute()
    parts = list(dict.fromkeys(file.absolute().relative_to(whole).parts[0] for file in listing.files))
    if listing.tests:
        folders = [subject.path(whole / part) for part in parts]
        return [
            statement("folders", folders, 4),
            f"parts = [{by_class}(folder, {suffixes}) for folder in folders]",
            "files = [file for found, _ in parts for file in found]",
            "labels = [label for _, found in parts for label in found]",
        ]
    return [f"files, labels = {by_class}({folder}, {suffixes})"]


def _without_broken(script: Script, subject: Subject, files: FolderFiles, listing: Listing) -> list[str]:
    """The lines that leave out files which cannot be read, where they shall be skipped."""
    if files.broken != "skip":
        return []
    _, _, samples = files.opened((files.folder / files.paths[0]).absolute(), tuple(subject.data.train.raw.shape[1:]))
    problems = samples.problems()
    if not problems:
        return []
    broken = held_names(script, "broken", [listing.files[row].name for row in problems], SECTION, "cannot be read")
    lines = [f"whole = [file.name not in {broken} for file in files]"]
    if listing.table is not None:
        lines.append("table = table[whole]")
    elif listing.labels is not None:
        lines.append("labels = [label for label, kept in zip(labels, whole, strict=True) if kept]")
    return [*lines, "files = [file for file, kept in zip(files, whole, strict=True) if kept]"]


def _shape(files: FolderFiles, subject: Subject) -> str:
    if isinstance(files, TextFiles):
        return "as they are"
    shape = ", ".join(map(str, subject.data.train.raw.shape[1:]))
    return f"({files.noun}, {shape}) from {'0 to 255' if isinstance(files, ImageFiles) else '-1 to 1'}"


def _samples(script: Script, subject: Subject, files: FolderFiles, read: str) -> str:
    """The source of what is in `files`."""
    if isinstance(files, TextFiles):
        return _texts(subject)
    shape = subject.data.train.raw.shape[1:]
    if isinstance(files, AudioFiles):
        sound = script.use("files", "read_sound", SECTION)
        return f"np.stack([{sound}(file, rate={files.rate_brought_to()}, length={shape[0]}) for file in files])"
    assert isinstance(files, ImageFiles), "there are three kinds"
    mode = literal(MODES["rgb" if shape[-1] == 3 else "grayscale"])
    size = literal(tuple(shape[:2]))
    of_size = f", {size}" if read == "fast_picture" and files.size else ""
    one = f"{script.use('files', read, SECTION)}(file, {mode}{of_size})"
    if files.size is None:
        return f"np.stack([{one} for file in files])"
    return f"np.stack([{script.use('files', FITS[files.fit], SECTION)}({one}, {size}) for file in files])"


def _texts(subject: Subject) -> str:
    (name,) = subject.data.preprocessing.input_names
    read = 'file.read_bytes().decode("utf-8-sig")'
    return f"{{{literal(name)}: np.array([{read} for file in files], object)[:, None]}}"


def _returned(x: str, rest: str) -> list[str]:
    whole = f"return {x}{rest}"
    return [whole] if INDENT + width(whole) <= WIDTH else [f"x = {x}", f"return x{rest}"]
