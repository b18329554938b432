"""Judge whether labels can be right, by all boxes of a run."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from birdview.pixels.frame import HEIGHT
from birdview.training.labels.box import Box

_LEAST = 10
"""Fewer boxes are not judged."""
_USUAL = {
    "Bicycle": (1.75, 0.65, 1.3),
    "Bicyclist": (1.8, 0.7, 1.75),
    "Bus": (11.0, 2.9, 3.4),
    "Car": (3.9, 1.6, 1.5),
    "Cyclist": (1.8, 0.6, 1.75),
    "Motorcycle": (2.1, 0.8, 1.5),
    "Pedestrian": (0.8, 0.65, 1.75),
    "REGULAR_VEHICLE": (4.6, 1.9, 1.7),
    "Rider": (1.2, 0.7, 1.65),
    "Tram": (16.0, 2.5, 3.5),
    "Truck": (10.0, 2.6, 3.2),
    "Van": (5.1, 1.9, 2.2),
    "Vehicle": (4.7, 2.1, 1.75),
}
"""Length, width and height of objects that stand on the road, by class."""
_SIZES = {kind.lower(): size for kind, size in _USUAL.items()}
_FACTOR = 2.0
"""By how much a median size may differ from the usual one: this many times."""
_NEAR, _OFF_ROAD = 30.0, 0.6
"""Metres: boxes this near tell where the road is, because it rises and falls farther
away; and by how much the median of their bottoms may miss it."""
_HALF = 0.7, 1.3
"""Of half a height: what an offset must be to be taken for it."""
_EXCHANGES = {
    "length and width": (1, 0, 2),
    "length and height": (2, 1, 0),
    "width and height": (0, 2, 1),
}


def judge(
    boxes: Mapping[str, Sequence[Box]],
    inside: Mapping[str, Sequence[int]],
    origin: str | None = None,
) -> list[str]:
    """Return warnings about the labels of a run, one line each.

    Parameters
    ----------
    boxes : mapping of str to sequence of Box
        Those of each scan, in the frame of its image.
    inside : mapping of str to sequence of int
        How many points of the scan are in each of them.
    origin : str or None
        The setting, ``center`` or ``bottom``, of formats that have it.
    """
    every = [box for found in boxes.values() for box in found]
    if boxes and not every:
        return [
            f"labels: no boxes in {len(boxes)} scans, expected some: do the names of "
            f"scans agree with what the labels say?"
        ]
    counts = [count for found in inside.values() for count in found]
    kinds = np.array([box.kind for box in every], dtype=object)
    heights = np.array([box.height for box in every], dtype=np.float64)
    # All at once: a large data set has half a million.
    corners = np.array([box.corners for box in every], dtype=np.float64)
    return [
        f"labels: {warning}"
        for warnings in (
            _judge_counts(counts),
            _judge_sizes(kinds, corners, heights),
            _judge_heights(kinds, corners, heights, origin),
        )
        for warning in warnings
    ]


def _judge_counts(counts: Sequence[int]) -> Iterator[str]:
    empty = counts.count(0)
    if len(counts) >= _LEAST and 2 * empty > len(counts):
        yield (
            f"{empty} of {len(counts)} boxes hold no point, expected few: are the "
            f"boxes in the frame of the scans, and their sizes in the format's order? "
            f"Look at them with `snakemake boxes`"
        )


def _judge_sizes(
    kinds: NDArray[np.object_],
    corners: NDArray[np.float64],
    heights: NDArray[np.float64],
) -> Iterator[str]:
    for kind in sorted(set(kinds)):
        chosen = kinds == kind
        usual = _SIZES.get(kind.lower())
        if usual is None or chosen.sum() < _LEAST:
            continue
        front_left, front_right, _, rear_left = corners[chosen].transpose(1, 0, 2)
        median = np.array(
            [
                np.median(np.linalg.norm(front_left - rear_left, axis=1)),
                np.median(np.linalg.norm(front_left - front_right, axis=1)),
                np.median(heights[chosen]),
            ]
        )
        if _fits(median, usual):
            continue
        found = (
            f"{chosen.sum()} {kind}: {_text(median)} m (length x width x height) in "
            f"the median, expected about {_text(usual)}"
        )
        for names, order in _EXCHANGES.items():
            if _fits(median[[*order]], usual):
                yield (
                    f"{found}: {names} look exchanged: write them in the format's order"
                )
                break
        else:
            yield f"{found}: are sizes in metres, and in the format's order?"


def _judge_heights(
    kinds: NDArray[np.object_],
    corners: NDArray[np.float64],
    heights: NDArray[np.float64],
    origin: str | None,
) -> Iterator[str]:
    """Compare bottoms with the road."""
    if len(kinds) < _LEAST:
        return
    x, y, z = corners.mean(axis=1).T
    chosen = np.array([kind.lower() in _SIZES for kind in kinds])
    chosen &= np.hypot(x, y) <= _NEAR
    if chosen.sum() < _LEAST:
        return
    offsets = z[chosen] + HEIGHT
    offset = float(np.median(offsets))
    share = float(np.median(2 * offsets / heights[chosen]))
    if abs(offset) <= _OFF_ROAD:
        return
    side, found, right = "below", "center", "bottom"
    if offset > 0:
        side, found, right = "above", "bottom", "center"
    text = (
        f"the bottoms of {len(offsets)} boxes within {_NEAR:g} m are "
        f"{abs(offset):.2f} m {side} the road in the median (z = {-HEIGHT:g})"
    )
    low, high = _HALF
    if origin not in (None, found) or not low <= abs(share) <= high:
        yield (
            f"{text}, expected them on it: is the height in `frame` right, and have "
            f"boxes and points the same origin?"
        )
    elif origin is None:
        yield f"{text}, which is half their height: is z that of the {right}?"
    else:
        yield f"{text}, which is half their height: set `origin: {right}`"


def _fits(size: NDArray[np.float64], usual: Sequence[float]) -> bool:
    ratios = size / np.array(usual)
    return bool(((ratios > 1 / _FACTOR) & (ratios < _FACTOR)).all())


def _text(size: Sequence[float] | NDArray[np.float64]) -> str:
    return " x ".join(f"{number:.3g}" for number in size)
