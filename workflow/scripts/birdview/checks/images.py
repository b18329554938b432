"""Look at the images of a run: which are there, and what their text says."""

import os
from collections.abc import (
    Callable,
    Container,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from pathlib import Path
from typing import NamedTuple

from birdview.checks.advice import ASK
from birdview.checks.plausibility import Drawn, Warned, judge
from birdview.checks.tables import read_rows, update_table
from birdview.counts import parse_counts
from birdview.files import PathLike
from birdview.fit import fit_layouts, names_that_fit, read_file
from birdview.image import ImageFile
from birdview.pixels.assembly import parse_joined
from birdview.pixels.figures import parse_figures
from birdview.pixels.kinds import HEAD, recognise
from birdview.pixels.layout import Layout
from birdview.pixels.png import read_text
from birdview.pixels.recipe import digest_recipe, parse_conditions

_MISREAD = {
    *("record", "tilt", "height", "outside", "intensity", "dark", "constant"),
}
"""Kinds of doubt that another layout may explain."""


class Failure(NamedTuple):
    """An image that could not be rendered: a row of `failed.tsv`.

    Attributes
    ----------
    encoding, scan : str
        The names; ``-`` for all encodings.
    error : str
        One line.
    """

    encoding: str
    scan: str
    error: str


class Seen(NamedTuple):
    """What there is of the images of a run.

    Attributes
    ----------
    failures : list of Failure
    made, current : int
        Images that are newer than the start of the run, and older ones.
    waiting : int
        Images that are missing, without an error.
    is_known : bool
        Whether the images are here, to be counted.
    """

    failures: list[Failure]
    made: int = 0
    current: int = 0
    waiting: int = 0
    is_known: bool = True


def look(
    images: Iterable[ImageFile], log_of: Callable[[ImageFile], str], since: int
) -> Seen:
    """Look which images exist, and why others do not.

    Parameters
    ----------
    images : iterable of ImageFile
    log_of : function
        Returns the log of the job that renders an image: its error, if it failed.
    since : int
        The start of the run, in nanoseconds.
    """
    made = current = 0
    missing = []
    for image in images:
        try:
            is_new = os.stat(image.path).st_mtime_ns >= since
        except OSError:
            missing.append(image)
        else:
            made += is_new
            current += not is_new
    failures = read_logs(missing, log_of)
    return Seen(failures, made, current, len(missing) - len(failures))


def read_logs(
    images: Iterable[ImageFile], log_of: Callable[[ImageFile], str]
) -> list[Failure]:
    """Return the errors in the logs of images; a job that succeeds leaves none."""
    errors = ((image, _read_log(log_of(image))) for image in images)
    return [
        Failure(image.encoding.name, image.scan, error)
        for image, error in errors
        if error
    ]


def _read_log(path: str) -> str:
    """Return the first line of a log."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.readline().rstrip("\n")
    except OSError:
        return ""


def read_text_of(image: ImageFile) -> Mapping[str, str]:
    """Return the text of an image; nothing if it is missing or damaged."""
    try:
        return read_text(image.path)
    except (OSError, ValueError):
        return {}  # `verify` tells of damaged ones


def find_doubts(
    images: Sequence[ImageFile],
    layout: Layout,
    text_of: Callable[[ImageFile], Mapping[str, str]] = read_text_of,
) -> list[Warned]:
    """Judge the images that exist, by their text.

    Those that were made by another encoding, layout or program are left out: they are
    not what the run asks for.

    Parameters
    ----------
    images : sequence of ImageFile
    layout : Layout
    text_of : function
        Returns the text of an image.

    Returns
    -------
    list of Warned
        As `judge`; with the kind ``layout`` in front if another reading of the first
        scan in doubt explains them.
    """
    warned = judge(list(_find_drawn(images, layout, text_of)), layout)
    doubtful = [one.scan for one in warned if one.kind in _MISREAD]
    files = {image.scan: image.scan_file for image in images}
    reading = examine(files[doubtful[0]], layout) if doubtful else None
    if reading is None or not (reading.problem or reading.better):
        return warned
    advice = ASK
    if reading.better:
        advice = (
            f"the bytes fit {', '.join(reading.better)} better: if it is one of these, "
            f"set `layout: {reading.better[0]}`"
        )
    if reading.problem:  # then the other doubts follow from that
        warned = [one for one in warned if one.kind not in _MISREAD]
    found = f"read as {layout.name}, {reading.problem or reading.intensity_problem}"
    scans = dict.fromkeys(doubtful if reading.problem else doubtful[:1])
    return [Warned("layout", "-", scan, found, advice) for scan in scans] + warned


class Reading(NamedTuple):
    """How well the layout of a run fits a scan.

    Attributes
    ----------
    problem : str
        Why its coordinates cannot be right; empty if they can.
    intensity_problem : str
        Why its intensities cannot be right.
    better : list of str
        The built-in layouts that fit, if there is a problem of either kind.
    """

    problem: str
    intensity_problem: str
    better: list[str]


def examine(scan_file: PathLike, layout: Layout) -> Reading | None:
    """Compare how layouts of records fit a scan; None if it is none, or unreadable."""
    if not layout.is_records:
        return None
    try:
        data = read_file(scan_file)
    except OSError:
        return None
    *_, intensity = layout.columns
    fields = list(layout.fields)
    if intensity is not None:
        fields[intensity] = fields[intensity]._replace(name="unused")
    (whole,) = fit_layouts(data, [layout])
    (position,) = fit_layouts(data, [layout._replace(fields=tuple(fields))])
    better = names_that_fit(data)[:3] if whole.problem else []
    return Reading(position.problem, whole.problem, better)


def _find_drawn(
    images: Iterable[ImageFile],
    layout: Layout,
    text_of: Callable[[ImageFile], Mapping[str, str]],
) -> Iterator[Drawn]:
    for image in images:
        text = text_of(image)
        figures = parse_figures(text)
        wanted = digest_recipe(image.encoding, layout, parse_conditions(text))
        if figures is None or text.get("birdview:recipe") != wanted:
            continue
        joined = parse_joined(text)
        yield Drawn(image.encoding, image.scan, parse_counts(text), figures, joined)


def name_fitting_layouts(scan_file: PathLike) -> str:
    """Return what to add to the error of a scan that is refused: layouts that fit."""
    try:
        data = read_file(scan_file)
    except OSError:
        return ""
    if recognise(data[:HEAD].tobytes()):
        return ""
    names = names_that_fit(data)[:3]
    return f"; it fits the layout {' or '.join(names)}" if names else ""


def find_others(results: PathLike, below: str, encodings: Container[str]) -> list[str]:
    """Return the folders with images of encodings that a run does not have, sorted.

    Parameters
    ----------
    results : path-like
        The folder of the images.
    below : str
        Where they are in that of an encoding.
    encodings : container of str
        The names of the run's own.
    """
    grids = Path(results).glob(os.path.join("*", below, "grid.json"))
    return sorted(
        str(grid.parent)
        for grid in grids
        if grid.relative_to(results).parts[0] not in encodings
    )


def find_orphans(folder: PathLike, has_scan: Callable[[str], bool]) -> list[str]:
    """Return the images in a folder whose scans do not exist.

    Parameters
    ----------
    folder : path-like
        Of the images of an encoding.
    has_scan : function
        Whether there is a scan of a name.

    Returns
    -------
    list of str
        The names of the scans, sorted.
    """
    start = len(os.path.join(folder, ""))
    names = (
        os.path.join(parent, name)[start:].removesuffix(".png")
        for parent, _, names in os.walk(folder)
        for name in names
        if name.endswith(".png")
    )
    return sorted(
        name
        for name in names
        if not has_scan(name) and not name.startswith(("boxes/", "demo/"))
    )


def write_tables(
    folder: PathLike,
    failures: Sequence[Failure],
    warned: Sequence[Warned],
    scans: Container[str],
    since: int,
) -> None:
    """Write `failed.tsv` and `warnings.tsv`.

    Parameters
    ----------
    folder : path-like
    failures : sequence of Failure
    warned : sequence of Warned
    scans : container of str
        The names of the scans that were looked at: their rows are replaced.
    since : int
        Rows of other scans are kept if a table is not older; in nanoseconds.

    Raises
    ------
    OSError
        If a table cannot be written.
    """
    for name, columns, rows in (
        ("failed", Failure._fields, failures),
        ("warnings", Warned._fields, warned),
    ):
        path = Path(folder, f"{name}.tsv")
        update_table(path, columns, rows, lambda row: row["scan"] in scans, since)


def read_tables(
    folder: PathLike, scans: Container[str]
) -> tuple[list[Failure], list[Warned]]:
    """Read what `write_tables` wrote about some scans; nothing if there is none."""
    failed = read_rows(Path(folder, "failed.tsv"), Failure._fields)
    doubtful = read_rows(Path(folder, "warnings.tsv"), Warned._fields)
    return (
        [Failure(**row) for row in failed if row["scan"] in scans],
        [Warned(**row) for row in doubtful if row["scan"] in scans],
    )
