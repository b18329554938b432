"""Write predictions on the images of a data set as results for KITTI's evaluation."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from birdview.dataset import raise_errors
from birdview.files import PathLike, write_table
from birdview.pixels.assembly import PartReader
from birdview.pixels.calibration import read_calibration
from birdview.pixels.encoding import Encoding
from birdview.pixels.layout import Layout
from birdview.pixels.png import read_size
from birdview.run import Run
from birdview.training import index, results, yolo
from birdview.training.card import describe_left_out
from birdview.training.folder import KeptFolder
from birdview.training.predictions import match_files
from birdview.training.results import REASONS, Extent

_DIGITS = 12
"""Of digests in messages."""


class Dataset(NamedTuple):
    """What has to be known of the data set of predictions.

    Attributes
    ----------
    kinds : dict of str to str
        What KITTI calls each class; in their order.
    shape : (int, int)
        The rows and columns of images.
    to_metres : ndarray of float64, shape (2, 3)
        From (row, col, 1) to (x, y).
    extents : dict of str to Extent
        That of each class.
    """

    kinds: dict[str, str]
    shape: tuple[int, int]
    to_metres: NDArray[np.float64]
    extents: dict[str, Extent]


class Converted(NamedTuple):
    """What became of the predictions on a scan.

    Attributes
    ----------
    content : str
        That of the file of results.
    counts : Counter of (str, str)
        How many of a class were left out, for each of `REASONS`; "" for those that
        were not.
    notes : Counter of str
        How many boxes have no score ("unscored"), and how many scans no image of the
        camera ("unseen").
    error : str
        Why they cannot be converted; empty if they can.
    """

    content: str
    counts: Counter[tuple[str, str]]
    notes: Counter[str]
    error: str


def check_index(
    path: PathLike, described: Mapping[str, Any], encoding: Encoding, layout: Layout
) -> None:
    """Raise ValueError if a data set is of another encoding or layout."""
    for what, here in (("encoding", encoding.digest), ("layout", layout.digest)):
        there = str(described.get(f"{what}_sha256"))
        if there != here:
            raise ValueError(
                f"{path}: of {what} {there[:_DIGITS]}, but the settings say "
                f"{here[:_DIGITS]}, expected the same: restore the settings, or run "
                f"`snakemake dataset` again, train and predict"
            )


def convert(
    run: Run, encoding: Encoding, dataset: Dataset, scan: str, file: PathLike
) -> Converted:
    """Convert the predictions on a scan to results."""
    counts, notes, lines = Counter[tuple[str, str]](), Counter[str](), list[str]()
    try:
        predictions = yolo.read_predictions(file, [*dataset.kinds], dataset.shape)
        calib, image = run.camera_files(scan)
        size = results.DEFAULT_SIZE
        if run.cameras and run.cameras.size:
            size = run.cameras.size
        elif os.path.exists(image):
            size = read_size(image)
        else:
            notes["unseen"] += 1
        frame = run.assemblies.frame_of(scan)
        camera = results.make_camera(read_calibration(calib), frame, size)
        points = _read_points(run, scan)
        for one in predictions:
            footprint = np.column_stack([one.outline, np.ones(4)]) @ dataset.to_metres.T
            if one.score is not None:
                footprint = results.order_corners(footprint)
            elif results.is_ours(footprint):
                notes["unscored"] += 1
            else:
                raise ValueError(
                    f"{file}: line {one.line}: no score, and corners that go round the "
                    f"other way than in label files, expected a score: predict with "
                    f"save_conf=True"
                )
            line, extent = "", dataset.extents.get(one.name)
            if extent is None:
                reason = "unknown"
            elif results.is_flat(footprint):
                reason = "flat"
            else:
                ground = results.find_ground(points, encoding.bounds, footprint)
                if ground is not None:
                    extent = extent._replace(z=ground)
                kind = dataset.kinds[one.name]
                score = 1.0 if one.score is None else one.score
                line, reason = results.format_result(
                    kind, footprint, extent, camera, score
                )
            counts[one.name, reason] += 1
            lines.append(line)
    except (MemoryError, OSError, ValueError) as problem:
        return Converted("", counts, notes, str(problem))
    return Converted("".join(lines), counts, notes, "")


def convert_all(
    run: Run,
    encoding: Encoding,
    dataset: Dataset,
    files: Mapping[str, PathLike],
    threads: int,
) -> dict[str, Converted]:
    """Convert the predictions on many scans.

    Raises
    ------
    ValueError
        If some cannot be converted: a line for each error.
    """
    with ThreadPoolExecutor(threads) as pool:
        found = pool.map(
            lambda item: convert(run, encoding, dataset, *item), files.items()
        )
        converted = dict(zip(files, found, strict=True))
    raise_errors(one.error for one in converted.values())
    return converted


def _read_points(run: Run, scan: str) -> NDArray[np.float32]:
    """Return the points of a scan, shape (N, 3), with columns one after the other."""
    assemblies = run.assemblies.current
    with assemblies.open([scan]) as fetch:
        read = PartReader().read(fetch(assemblies.of(scan)))
    return np.asfortranarray(read.points[:, :3])


def write_results(run: Run, name: str, table: PathLike, threads: int) -> list[str]:
    """Write the results of predictions, a file for each scan of the predicted splits.

    A split is predicted if any of its scans has a file of predictions. Trainers write
    none for an image on which nothing was found: its results are an empty file.
    Nothing is written unless all predictions can be converted; and the table last.

    Parameters
    ----------
    run : Run
    name : str
        That of the encoding.
    table : path-like
        Beside the folder of the results, which has its name without suffix.
    threads : int

    Returns
    -------
    list of str
        What was written, and what was left out and why, in lines.

    Raises
    ------
    OSError, ValueError
        If there is no data set, if it is another than that of the settings, if
        predictions cannot be read, or a file cannot be written.
    """
    encoding, path = run.encodings[name], Path(run.index_path(name))
    described = index.read_index(path.parent)
    check_index(path, described, encoding, run.layout)
    if problem := yolo.check_cells(encoding):
        raise ValueError(problem)
    splits = described["splits"]
    scans = [scan for members in splits.values() for scan in members]
    files = match_files(run.require_predictions(), scans)
    predicted = [
        one for one, members in splits.items() if files.keys() & members.keys()
    ]
    kinds = described["classes"].items()
    dataset = Dataset(
        {one: results.name_kind(one, own) for one, own in kinds},
        (described["rows"], described["cols"]),
        np.array(described["to_metres"]),
        results.learn_extents(splits, predicted),
    )
    converted = convert_all(run, encoding, dataset, files, threads)
    folder = Path(table).with_suffix("")
    contents = {
        f"{scan}.txt": converted[scan].content if scan in converted else ""
        for split in predicted
        for scan in splits[split]
    }
    write_files(folder, contents)
    counts = sum((one.counts for one in converted.values()), Counter())
    notes = sum((one.notes for one in converted.values()), Counter())
    write_table(
        table,
        [
            {"class": one, "results": counts[one, ""]}
            | {reason: counts[one, reason] for reason in REASONS}
            for one in dataset.kinds
        ],
    )
    empty = len(contents) - len(files)
    without = f", {empty:,} of them without predictions" if empty else ""
    return [
        f"{folder}: {len(contents):,} scans of {' and '.join(predicted)}{without}",
        *(f"  {one} {counts[one, '']:,}" for one in dataset.kinds),
        *(f"left out: {line}" for line in describe_left_out(counts, REASONS)),
        *_describe_notes(notes),
    ]


def write_files(folder: Path, contents: Mapping[str, str]) -> None:
    """Write files into a folder, and remove other .txt files and empty folders."""
    kept = KeptFolder(folder)
    for name, content in contents.items():
        kept.write(name, content.encode())
    kept.remove_others(lambda name: name.endswith(".txt"))


def _describe_notes(notes: Counter[str]) -> Sequence[str]:
    lines = []
    if count := notes["unscored"]:
        lines.append(
            f"boxes without a score: {count:,}, whose corners tell the front, as in "
            f"label files of `snakemake dataset`; predictions need save_conf=True"
        )
    if count := notes["unseen"]:
        width, height = results.DEFAULT_SIZE
        lines.append(
            f"scans without an image in image_2: {count:,}, whose size was taken as "
            f"{width} x {height} pixels"
        )
    return lines
