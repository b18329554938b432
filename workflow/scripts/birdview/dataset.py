"""Make a data set to train on: images, and labels in their pixels or masks."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatch
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from birdview.checks.summary import MAX_SHOWN, count_of
from birdview.files import PathLike
from birdview.image import Inflate, as_planes, decode_image
from birdview.pixels.assembly import PartReader
from birdview.pixels.encoding import Encoding
from birdview.run import Run
from birdview.training import coco, index, yolo
from birdview.training.card import Card, describe_left_out
from birdview.training.classes import name_classes
from birdview.training.folder import KeptFolder
from birdview.training.labels.box import Box
from birdview.training.labels.inside import count_inside
from birdview.training.labels.judge import judge
from birdview.training.masks import (
    CLASSES_JSON,
    MASKS,
    describe_masks,
    format_classes,
)
from birdview.training.selection import REASONS, Selection, select
from birdview.training.tiff import format_tiff
from birdview.workers import Workers, ignore

_PIECE = 100
"""Scans that a process examines at once."""
_LABELS = "labels"
_SUFFIXES = (".npy", ".png", ".tiff", ".txt")
"""How names of images, labels and masks end."""
_DATA, _DATA_OF_MASKS = "data.yaml", f"{MASKS}.yaml"


class Examined(NamedTuple):
    """What was found of the boxes of a scan.

    Attributes
    ----------
    scan : str
    boxes : list of Box
        All of its boxes.
    selection : Selection
        Those that a trainer gets.
    error : str
        Why they are not known; empty if they are.
    """

    scan: str
    boxes: list[Box]
    selection: Selection
    error: str


def examine(
    run: Run,
    encoding: Encoding,
    scans: Sequence[str],
    tell: Callable[..., None] = ignore,
    is_stopped: Callable[[], bool] = bool,
) -> list[Examined]:
    """Read the boxes of scans, and select those that a trainer gets.

    `tell` and `is_stopped` are those of `birdview.workers`.
    """
    settings, reader = run.settings["dataset"], PartReader()
    assemblies = run.assemblies.current
    name_of = name_classes(settings["classes"])
    examined = []
    with assemblies.open(scans) as fetch:
        for scan in scans:

            def count(chosen: Sequence[Box], scan: str = scan) -> list[int]:
                read = reader.read(fetch(assemblies.of(scan)))
                return count_inside(read.points, chosen, encoding.bounds)

            boxes, selection, error = list[Box](), Selection([], Counter(), []), ""
            try:
                boxes = run.read_boxes(scan)
                selection = select(
                    boxes, encoding, name_of, settings["min_points"], count
                )
            except (MemoryError, OSError, ValueError) as problem:
                error = str(problem)
            examined.append(Examined(scan, boxes, selection, error))
    return examined


def examine_all(
    run: Run, encoding: Encoding, scans: Sequence[str], threads: int
) -> list[Examined]:
    """Examine the boxes of many scans, in several processes if that is faster.

    Raises
    ------
    OSError, ValueError
        If the boxes of some scans are not known: a line for each error.
    """
    pieces = [scans[start : start + _PIECE] for start in range(0, len(scans), _PIECE)]
    count = min(threads, len(pieces))
    if count < 2 or run.assemblies.are_remote:  # this process has the connections
        examined = examine(run, encoding, scans)
    else:
        workers = Workers(count, "birdview.dataset")
        try:
            with ThreadPoolExecutor(count) as pool:
                found = pool.map(
                    lambda piece: workers.call(
                        examine, run.narrow(piece), encoding, piece
                    ),
                    pieces,
                )
                examined = [one for piece in found for one in piece]
        finally:
            workers.close()
    raise_errors(one.error for one in examined)
    return examined


def raise_errors(errors: Iterable[str]) -> None:
    """Raise ValueError with a line for each error; "" is none.

    The terminal shows no more than the first of them, the log of the job has all.
    """
    found = [*dict.fromkeys(filter(None, errors))]
    if len(found) > MAX_SHOWN:
        found.insert(0, f"{len(found):,} errors, all in the log of this job: the first")
    if found:
        raise ValueError("\n".join(found))


def write_dataset(
    run: Run,
    name: str,
    path: PathLike,
    threads: int,
    inflate: Inflate,
    warn: Callable[[str], None],
) -> list[str]:
    """Write the data set of an encoding, or bring it up to date.

    Nothing is written unless the boxes of all scans are known; and the index last.

    Parameters
    ----------
    run : Run
    name : str
        That of the encoding.
    path : path-like
        The index, in the folder of the data set.
    threads : int
    inflate : function
        For `birdview.image.decode_image`.
    warn : function
        Is given what may be wrong with labels, line by line.

    Returns
    -------
    list of str
        What it has, and what was left out and why, in lines.

    Raises
    ------
    OSError, ValueError
        If labels cannot be read, or a file cannot be written.
    """
    encoding, settings = run.encodings[name], run.settings["dataset"]
    suffix = choose_suffix(encoding, settings["format"])
    chosen = set(run.scans if run.labels is None else run.labelled)
    splits = {
        split: [scan for scan in scans if scan in chosen]
        for split, scans in run.splits.items()
    }
    scans = [scan for members in splits.values() for scan in members]
    classes, found = {}, list[Examined]()
    if run.labels is not None:
        classes = settings["classes"]
        found = examine_all(run, encoding, scans, threads)
        check_kinds(found, classes)
    selected = {one.scan: one.selection.targets for one in found}
    targets = {
        split: {scan: selected.get(scan, []) for scan in members}
        for split, members in splits.items()
    }
    why_no_labels = why_no_masks = ""
    if suffix != ".npy":  # which YOLO does not read
        why_no_masks = yolo.check_names(scans)
        why_no_labels = yolo.check_cells(encoding) if classes else ""
    why_no_yolo = why_no_labels or why_no_masks
    left_out = sum((one.selection.left_out for one in found), Counter())
    card = Card(
        encoding,
        suffix,
        [*classes],
        targets,
        left_out,
        run.masks,
        has_yolo_labels=bool(classes) and suffix != ".npy" and not why_no_yolo,
        has_yolo_masks=bool(run.masks) and suffix != ".npy" and not why_no_masks,
    )
    folder = KeptFolder(Path(path).parent)
    _write_members(run, card, folder, threads, inflate)
    _write_tables(card, folder)
    folder.remove_others(is_of_dataset)
    described = index.describe_dataset(
        encoding, run.layout, classes, suffix, targets, run.masks
    )
    folder.write(index.NAME, _format_json(described))
    _warn(run, found, warn)
    unlabelled = len(run.scans) - len(chosen)
    without = f"{count_of(unlabelled, 'scan')} without labels"
    return [
        folder.path,
        *(f"  {line}" for line in card.format_table()),
        *([f"masks: {describe_masks(run.masks)}"] if run.masks else []),
        *(f"left out: {line}" for line in describe_left_out(left_out, REASONS)),
        *([f"left out: {without}"] if unlabelled else []),
        *([why_no_yolo] if why_no_yolo else []),
    ]


def _write_members(
    run: Run, card: Card, folder: KeptFolder, threads: int, inflate: Inflate
) -> None:
    """Write the images of a data set, their masks, and label files that YOLO reads."""
    encoding, suffix = card.encoding, card.suffix

    def convert(image: PathLike) -> bytes:
        return convert_image(image, encoding, suffix, inflate)

    def write(member: tuple[str, str]) -> None:
        split, scan = member
        image, copy = run.image_path(encoding.name, scan), card.image(split, scan)
        if suffix == ".png":
            folder.link(image, copy)
        else:
            folder.convert(image, copy, convert)
        if card.masks:
            mask = run.image_path(card.masks.encoding.name, scan)
            folder.link(mask, card.mask(split, scan))
        if card.has_yolo_labels:
            text = yolo.format_labels(
                card.targets[split][scan], card.names, encoding.grid.shape
            )
            # YOLO finds it by the path of the image.
            folder.write(f"{_LABELS}/{split}/{scan}.txt", text.encode())

    members = [(split, scan) for split, scans in card.targets.items() for scan in scans]
    if suffix == ".png":  # threads would wait for each other
        for member in members:
            write(member)
    else:
        with ThreadPoolExecutor(threads) as pool:
            for _ in pool.map(write, members):
                pass


def _write_tables(card: Card, folder: KeptFolder) -> None:
    """Write what a data set has beside images, masks, label files and its index."""
    encoding, splits = card.encoding, [*card.targets]
    planes = len(encoding.channels)
    if card.has_yolo_labels:
        data = yolo.format_data(splits, card.names, planes)
        folder.write(_DATA, data.encode())
    if card.masks:
        folder.write(CLASSES_JSON, format_classes(card.masks.classes))
    if card.masks and card.has_yolo_masks:
        data = yolo.format_data(splits, card.masks.classes.names, planes, MASKS)
        folder.write(_DATA_OF_MASKS, data.encode())
    for split, members in card.targets.items() if card.has_boxes else ():
        files = {scan: card.image(split, scan) for scan in members}
        described = coco.describe_split(files, members, card.names, encoding.grid.shape)
        folder.write(f"coco_{split}.json", _format_json(described))
    folder.write("README.md", card.format_readme().encode())


def is_of_dataset(name: str) -> bool:
    """Whether a file in the folder of a data set has a name that a run gives.

    What else trainers leave there is theirs.
    """
    if name.startswith((f"{yolo.IMAGES}/", f"{_LABELS}/", f"{MASKS}/")):
        return name.endswith(_SUFFIXES)
    return name in (_DATA, _DATA_OF_MASKS, CLASSES_JSON) or (
        fnmatch(name, "coco_*.json") and "/" not in name
    )


def _warn(run: Run, examined: Iterable[Examined], warn: Callable[[str], None]) -> None:
    """Say what may be wrong with the labels of a run, whatever the encoding."""
    if run.labels is None:
        return
    others = run.labels.others([*run.scans, *run.invalid])
    if others:
        warn(
            f"labels: {count_of(len(others), 'file')} of no scan of this run, such as "
            f"{others[0]}"
        )
    if run.labels.is_of_a_camera and run.cameras is None:
        warn(
            "labels: KITTI's are of what its camera sees, but all points are drawn, "
            "which teaches that objects elsewhere are background: set camera_view=true"
        )
    boxes = {one.scan: one.boxes for one in examined}
    points = {one.scan: one.selection.points for one in examined}
    for line in judge(boxes, points, run.labels.origin):
        warn(f"warning: {line}")


def _format_json(value: Mapping[str, Any]) -> bytes:
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return f"{text}\n".encode()


def choose_suffix(encoding: Encoding, wanted: str | None) -> str:
    """Return how the names of a data set's images end, by the setting `format`.

    Raises
    ------
    ValueError
        If PNGs are wanted of planes that no trainer would find in them.
    """
    planes = len(encoding.channels)
    if wanted is None:
        wanted = "png" if planes in (1, 3) else "tiff"
    if wanted == "png" and planes not in (1, 3):
        raise ValueError(
            f"dataset: format: png for the {planes} planes of {encoding.name}, "
            f"expected tiff or npy: a trainer finds one or three planes in a PNG"
        )
    return f".{wanted}"


def check_kinds(
    examined: Iterable[Examined], wanted: Mapping[str, str | Sequence[str]]
) -> None:
    """Raise ValueError if there are boxes, but none of any class of the data set."""
    kinds = Counter(box.kind for one in examined for box in one.boxes)
    name_of = name_classes(wanted)
    if kinds and kinds.keys().isdisjoint(name_of):
        some = kinds.most_common(8)
        found = ", ".join(f"{kind} ({count:,})" for kind, count in some)
        raise ValueError(
            f"dataset: classes: no box is a {' or '.join(name_of)}, expected kinds "
            f"that the labels have: {found}"
        )


def convert_image(
    image: PathLike, encoding: Encoding, suffix: str, inflate: Inflate
) -> bytes:
    """Return the planes of an image as a file of another format."""
    names = [channel.name for channel in encoding.channels]
    _, pixels = decode_image(Path(image).read_bytes(), image, inflate)
    planes = np.ascontiguousarray(as_planes(pixels, len(names)))
    if suffix == ".tiff":
        return format_tiff(planes, names, encoding.background)
    file = BytesIO()
    np.save(file, planes)
    return file.getvalue()
