"""Labels of single points: a number for each point of a scan, and the class it is."""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from birdview.files import PathLike
from birdview.pixels.classes import Classes
from birdview.pixels.field import TYPES
from birdview.pixels.scan import read_bytes
from birdview.pixels.schema import suggest

SEMANTICKITTI = "semantickitti"
"""The format whose low 16 bits are the label, and the high ones the instance."""

FORMATS = SEMANTICKITTI, *(name for name in TYPES if np.dtype(name).kind in "iu")
"""How labels are stored: as SemanticKITTI's, or one integer of a type after another."""

_UNKNOWN = -1.0
"""The number of a label that a table of classes does not name."""


def check_format(form: str, where: str) -> str:
    """Return a format; raise ValueError if labels cannot be stored in it."""
    if form not in FORMATS:
        raise ValueError(
            f"{where}: {form}{suggest(form, FORMATS)}, expected one of "
            f"{', '.join(FORMATS)}"
        )
    return form


def read_point_labels(
    path: PathLike, form: str, count: int, classes: Classes
) -> NDArray[np.float32]:
    """Read the classes of a scan's points.

    Parameters
    ----------
    path : path-like
        A file with a label for each point.
    form : str
        One of `FORMATS`.
    count : int
        How many points the scan's file has, before any is left out.
    classes : Classes
        What the labels stand for.

    Returns
    -------
    ndarray of float32, shape (count,)
        The number of each point's class; NaN for a label that is ignored.

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    ValueError
        As `decode_point_labels`.
    """
    return decode_point_labels(read_labels(path), path, form, count, classes)


def read_labels(path: PathLike) -> NDArray[np.uint8]:
    """Read the bytes of a file of labels, shape (size,) uint8.

    Raises
    ------
    OSError
        If it is missing or cannot be read.
    """
    try:
        return read_bytes(path)
    except FileNotFoundError:
        raise FileNotFoundError(
            f"{path}: no such file, expected a label for each point of the scan"
        ) from None


def decode_point_labels(
    data: NDArray[np.uint8],
    path: PathLike,
    form: str,
    count: int,
    classes: Classes,
) -> NDArray[np.float32]:
    """Turn the bytes of a file of labels into the classes of a scan's points.

    Parameters
    ----------
    data : ndarray of uint8, shape (size,)
        The content of the file.
    path : path-like
        For error messages.
    form, count, classes
        As `read_point_labels`.

    Returns
    -------
    ndarray of float32, shape (count,)
        As `read_point_labels`.

    Raises
    ------
    ValueError
        If there is no such format, the labels are not as many as the points, or
        `classes` does not name one of them.
    """
    labels = _split(data, path, form, count)
    numbers = _number(labels, classes)
    if (numbers == _UNKNOWN).any():
        raise ValueError(f"{path}: {_describe_unknown(labels, numbers, classes)}")
    return numbers


def _split(
    data: NDArray[np.uint8], path: PathLike, form: str, count: int
) -> NDArray[Any]:
    """Return the labels as they are stored, without the instances."""
    kind = _type_of(check_format(form, f"{path}: format"))
    size = kind.itemsize
    if data.size != count * size:
        found = f"{data.size // size} labels"
        if data.size % size:
            found = f"{data.size} bytes, no multiple of {size} ({form})"
        fitting = [
            one for one in FORMATS if count * _type_of(one).itemsize == data.size
        ]
        others = f" {' or '.join(fitting)}" if fitting and count else ""
        raise ValueError(
            f"{path}: {found}, expected {count} labels as the points of the scan: is "
            f"it of another scan, or in another `format`{others}?"
        )
    if form == SEMANTICKITTI:
        return data.view("<u2")[::2]
    return data.view(kind)


def _type_of(form: str) -> np.dtype[Any]:
    name = "uint32" if form == SEMANTICKITTI else form
    return np.dtype(name).newbyteorder("<")


def _number(labels: NDArray[Any], classes: Classes) -> NDArray[np.float32]:
    """Return the number of each label's class: NaN if ignored, or `_UNKNOWN`."""
    if labels.itemsize > 2:
        short = labels.astype(np.uint16)
        if not np.array_equal(short, labels):  # rare: a table would be too large
            distinct, place = np.unique(labels, return_inverse=True)
            number_of = _number_of(classes)
            found = [number_of.get(label, _UNKNOWN) for label in distinct.tolist()]
            return np.array(found, dtype=np.float32)[place.reshape(-1)]
        labels = short
    table = _table(classes, labels.dtype.newbyteorder("="))
    bits = labels.view(f"{labels.dtype.byteorder}u{labels.itemsize}")
    numbers: NDArray[np.float32] = table[bits]
    return numbers


@cache
def _table(classes: Classes, kind: np.dtype[Any]) -> NDArray[np.float32]:
    """Return the numbers of all labels of a type, by its bits; see `_number`."""
    limits = np.iinfo(kind)
    table = np.full(1 << limits.bits, _UNKNOWN, dtype=np.float32)
    for label, number in _number_of(classes).items():
        if limits.min <= label <= limits.max:
            table[label % len(table)] = number
    return table


def _number_of(classes: Classes) -> dict[int, float]:
    return dict(classes.numbers) | dict.fromkeys(classes.ignored, np.nan)


def _describe_unknown(
    labels: NDArray[Any], numbers: NDArray[np.float32], classes: Classes
) -> str:
    first = int(np.flatnonzero(numbers == _UNKNOWN)[0])
    label = labels[first]
    of = int(np.count_nonzero(labels == label))
    return (
        f"label {label} of {of} point{'s' * (of != 1)}, the first of which is number "
        f"{first} from 0, expected one of {', '.join(map(str, classes.labels))}; or "
        f"add it to a class or to `ignore` in {classes.name}.yaml"
    )
