"""Text files of YOLO with oriented boxes (OBB) or masks, as Ultralytics has them."""

import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import NamedTuple

import numpy as np
import yaml
from numpy.typing import NDArray

from birdview.files import PathLike
from birdview.pixels.encoding import Encoding
from birdview.pixels.lines import parse_numbers, read_lines
from birdview.training.selection import Target

IMAGES = "images"
"""The folder of all images: YOLO replaces this word in their paths to find labels."""
_DATA = """\
# A data set of birdview's, for YOLO with {what}: see README.md beside it.
# Without a `path`, Ultralytics looks for the images below this folder.
{splits}
{masks}channels: {channels}
names:
{names}
"""
_LEAST, _MOST = -8, 9
"""Shares of an image that a corner may be at: models that were hardly trained predict
boxes of several times its size."""


class Prediction(NamedTuple):
    """A box of a prediction, or of a label file.

    Attributes
    ----------
    name : str
        Its class.
    outline : ndarray of float64, shape (4, 2)
        The corners, as (row, col). Of a label file, the first two are the front.
    score : float or None
        From 0 to 1; None in a label file.
    line : int
        Counted from 1.
    """

    name: str
    outline: NDArray[np.float64]
    score: float | None
    line: int


def check_cells(encoding: Encoding) -> str:
    """Return why an encoding has no such labels, or nothing."""
    rows, cols = (axis.cell for axis in encoding.grid)
    if rows == cols:
        return ""
    return (
        f"{encoding.name}: cells of {rows:g} x {cols:g} m, expected square ones for "
        f"YOLO, which turns boxes in pixels and would get other sizes; there are "
        f"COCO's files and boxes.json"
    )


def check_names(scans: Iterable[str]) -> str:
    """Return why labels or masks of some scans would not be found, or nothing."""
    for scan in scans:
        if IMAGES in scan.split("/")[:-1]:
            return (
                f"{scan}: in a folder {IMAGES}, expected another name for YOLO, which "
                f"would look for its label in another folder there; there is what "
                f"others read"
            )
    return ""


def format_labels(
    targets: Sequence[Target], names: Sequence[str], shape: tuple[int, int]
) -> str:
    """Return the content of a label file: a line for each box, in their order.

    Each has the number of the class and the four corners, front left first, as x and y
    from 0 to 1 over the image.

    Parameters
    ----------
    targets : sequence of Target
    names : sequence of str
        The classes in order, from number 0 on.
    shape : (int, int)
        The image's rows and columns.
    """
    lines = []
    numbers = {name: number for number, name in enumerate(names)}
    for target in targets:
        shares = (target.outline / shape)[:, ::-1].ravel().tolist()
        lines.append(f"{numbers[target.name]} {' '.join(f'{x:.6f}' for x in shares)}\n")
    return "".join(lines)


def read_predictions(
    path: PathLike, names: Sequence[str], shape: tuple[int, int]
) -> list[Prediction]:
    """Read a file that `yolo obb predict save_txt=True save_conf=True` wrote.

    Or one of `format_labels`, whose lines have no score.

    Parameters
    ----------
    path : path-like
    names : sequence of str
        The classes in order, from number 0 on.
    shape : (int, int)
        The image's rows and columns.

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    ValueError
        If it is no such file; the message names the file and the line.
    """
    predictions = []
    for line, text in read_lines(path):
        where, words = f"{path}: line {line}", text.split()
        if len(words) not in (9, 10):
            raise ValueError(
                f"{where}: {len(words)} words, expected 10: class, four corners and "
                f"score, as a model with oriented boxes (OBB) predicts them"
            )
        number, *shares = parse_numbers(words, where)
        if number not in range(len(names)):
            raise ValueError(
                f"{where}: class {words[0]}, expected 0 to {len(names) - 1}: "
                f"{', '.join(names)}; was the model trained on this data set?"
            )
        score = shares.pop() if len(words) == 10 else None
        for word, share in zip(words[1:], shares, strict=False):
            if not _LEAST <= share <= _MOST:
                raise ValueError(
                    f"{where}: a corner at {word}, expected shares of the image, from "
                    f"0 to 1, not pixels"
                )
        if score is not None and not 0 <= score <= 1:
            raise ValueError(f"{where}: a score of {words[9]}, expected 0 to 1")
        outline = np.reshape(shares, (4, 2))[:, ::-1] * shape
        predictions.append(Prediction(names[int(number)], outline, score, line))
    return predictions


def format_data(
    splits: Sequence[str], names: Sequence[str], channels: int, masks: str = ""
) -> str:
    """Return the content of `data.yaml`.

    Parameters
    ----------
    splits : sequence of str
    names : sequence of str
        The classes in order, from number 0 on.
    channels : int
    masks : str
        The folder of the masks; empty for oriented boxes.
    """
    named = (f"  {number}: {_quote(name)}" for number, name in enumerate(names))
    return _DATA.format(
        what="masks of classes" if masks else "oriented boxes",
        masks=f"masks_dir: {masks}\n" if masks else "",
        splits="\n".join(f"{name}: {IMAGES}/{name}" for name in splits),
        channels=channels,
        names="\n".join(named),
    )


def _quote(name: str) -> str:
    """Return a text as yaml, with quotes only if it would be read as something else."""
    with suppress(yaml.YAMLError):
        if yaml.safe_load(name) == name:
            return name
    return json.dumps(name)
