"""Figures: what the points of a scan look like, to judge whether they can be right.

They are stored in the text of each image, so even a run that renders nothing has them.
Judging them is not done here: see `birdview.checks`.
"""

from collections.abc import Mapping
from math import nan
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

DIM = 4 / 255
"""Intensities below are all but black."""
TINY = 1e-30
"""Metres."""
NEAR, CLOSE = (3.0, 25.0), 12.0
"""Metres on the ground: from where to where the road is looked for; up to where in each
direction."""
LAYER = 0.6
"""Metres: how thick the layer of points is that is taken for the road."""
BLOCK = 4096
"""Bytes: file systems and copies lose or keep blocks of this size."""

KEYWORD = "birdview:figures"
"""Of the text in an image that has them."""


class Figures(NamedTuple):
    """What the points of a scan look like.

    All points that are finite count, also those outside the region, in the frame of the
    image. Every machine finds the same.

    Attributes
    ----------
    sampled : int
        Number of points that what follows is about; evenly spread over the file.
    negative, bright, dim : int
        Those of them with an intensity below 0, above 1, and below `DIM`.
    least, greatest : float
        Their least and greatest intensity.
    odd, tiny : int
        Those of which two coordinates are the same number, and those with a coordinate
        below `TINY`, but not 0: what other numbers look like if they are taken for
        coordinates.
    reach, far : float
        Half, and nine tenths of them are nearer than this on the ground, in metres;
        rounded up to a power of the square root of 2.
    near : int
        Those of them within `NEAR`.
    on_road, below : int
        Those of `near` in the lowest layer, `LAYER` thick, that holds many of them, and
        below that layer.
    road : float
        The mean z of that layer; NaN if there are too few points to tell, as for the
        following.
    ahead, behind, left, right : float
        The same of the points in each direction, up to `CLOSE`.
    compared, repeated : int
        Points chosen by their bits, and those of them that equal another.
    scale_share : float
        The share of its range that all cells but three at each end use, of the plane
        with the scale ``scan`` that uses least; 1 if there is no such plane.
    zero_bytes : int
        Zeros at the end of the file, if they begin with a block of `BLOCK` bytes.
    """

    sampled: int = 0
    negative: int = 0
    bright: int = 0
    dim: int = 0
    least: float = 0.0
    greatest: float = 0.0
    odd: int = 0
    tiny: int = 0
    reach: float = 0.0
    far: float = 0.0
    near: int = 0
    on_road: int = 0
    below: int = 0
    road: float = nan
    ahead: float = nan
    behind: float = nan
    left: float = nan
    right: float = nan
    compared: int = 0
    repeated: int = 0
    scale_share: float = 1.0
    zero_bytes: int = 0

    def __str__(self) -> str:
        """Return them as the text of an image has them."""
        return " ".join(
            f"{key}={value:.6g}" if isinstance(value, float) else f"{key}={value}"
            for key, value in self._asdict().items()
        )


def parse_figures(text: Mapping[str, str]) -> Figures | None:
    """Return the figures in the text of an image, or None if it has none."""
    pairs = [word.split("=", 1) for word in text.get(KEYWORD, "").split()]
    try:
        values: dict[str, Any] = {
            key: type(Figures._field_defaults[key])(value) for key, value in pairs
        }
        return Figures(**values) if values else None
    except (KeyError, ValueError):  # of another version
        return None


def count_zero_bytes(data: NDArray[np.uint8]) -> int:
    """Return how many bytes at the end of a file are zeros, if a block begins them.

    A copy that broke off leaves zeros from a block's start on. A record may itself end
    in up to three zeros.
    """
    if data.size < BLOCK or data[-BLOCK:].any():
        return 0
    used = data.size
    while used and not data[max(0, used - BLOCK) : used].any():
        used -= BLOCK
    if used <= 0:
        return int(data.size)
    used = max(0, used - BLOCK) + 1 + int(np.flatnonzero(data[:used][-BLOCK:])[-1])
    start = -(-used // BLOCK) * BLOCK
    return int(data.size - start) if start - used <= 3 else 0
