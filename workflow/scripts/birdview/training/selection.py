"""Select the boxes that a trainer gets, and place them on the pixels of an image."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from birdview.pixels.encoding import Encoding
from birdview.pixels.grid import Grid
from birdview.training.labels.box import Box

REASONS = {
    "class": "of no class of the data set",
    "outside": "with their centre outside the map",
    "points": "with too few drawn points",
    "large": "larger than the map",
    "repeated": "repeated",
}
"""Why boxes are left out; the first that applies counts."""


class Target(NamedTuple):
    """A box that a trainer gets.

    Attributes
    ----------
    name : str
        Its class in the data set; ``box.kind`` is what the label said.
    box : Box
    outline : ndarray of float64, shape (4, 2)
        As `outline` returns it.
    points : int
        Drawn points in the box.
    """

    name: str
    box: Box
    outline: NDArray[np.float64]
    points: int


class Selection(NamedTuple):
    """What became of the boxes of a scan.

    Attributes
    ----------
    targets : list of Target
        In the order of the labels.
    left_out : Counter of (str, str)
        How many boxes of a kind were left out, for each of `REASONS`.
    points : list of int
        How many drawn points are in each box of a class that is on the map.
    """

    targets: list[Target]
    left_out: Counter[tuple[str, str]]
    points: list[int]


def outline(box: Box, grid: Grid) -> NDArray[np.float64]:
    """Return the corners of a box on an image, as (row, col), shape (4, 2).

    These are positions: pixel (i, j) reaches from (i, j) to (i + 1, j + 1). The order
    is that of `Box.corners`: the first two are the front. Corners outside the image
    stay as they are: a rectangle that is clipped is another quadrilateral.
    """
    place: NDArray[np.float64] = _outline_all([box], grid)[0]
    return place


def _outline_all(boxes: Sequence[Box], grid: Grid) -> NDArray[np.float64]:
    """Return the `outline` of each box, shape (N, 4, 2)."""
    corners = np.array([box.corners for box in boxes])
    x, y = corners[..., 0], corners[..., 1]
    return np.stack([row[0] * x + row[1] * y + row[2] for row in grid.affine], axis=-1)


def select(
    boxes: Sequence[Box],
    encoding: Encoding,
    name_of: Mapping[str, str],
    min_points: int,
    count: Callable[[Sequence[Box]], Sequence[int]],
) -> Selection:
    """Select the boxes of a scan that a trainer gets.

    Parameters
    ----------
    boxes : sequence of Box
    encoding : Encoding
    name_of : mapping of str to str
        For each kind of box that counts, its class in the data set.
    min_points : int
        The fewest drawn points that an object needs to be seen.
    count : function
        Returns how many drawn points are in each of some boxes. It is called once, or
        not at all if no box is left.
    """
    left_out: Counter[tuple[str, str]] = Counter()
    (left, near, _), (right, far, _) = encoding.bounds.tolist()
    chosen = []
    for box in boxes:
        x, y, _ = box.centre.astype(np.float32).tolist()
        if box.kind not in name_of:
            left_out[box.kind, "class"] += 1
        elif not (left <= x <= right and near <= y <= far):
            left_out[box.kind, "outside"] += 1
        else:
            chosen.append(box)
    targets: list[Target] = []
    if not chosen:
        return Selection(targets, left_out, [])
    counts = [*count(chosen)]
    places = _outline_all(chosen, encoding.grid)
    is_large = (np.ptp(places, axis=1) > encoding.grid.shape).any(axis=1)
    seen = set()
    for number, (box, points) in enumerate(zip(chosen, counts, strict=True)):
        place = places[number]
        key = name_of[box.kind], place.tobytes()
        if points < min_points:
            left_out[box.kind, "points"] += 1
        elif is_large[number]:
            left_out[box.kind, "large"] += 1
        elif key in seen:
            left_out[box.kind, "repeated"] += 1
        else:
            seen.add(key)
            targets.append(Target(name_of[box.kind], box, place, points))
    return Selection(targets, left_out, counts)
