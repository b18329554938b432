"""Count what happened to the points of a scan."""

from collections.abc import Mapping
from typing import NamedTuple


class LeftOut(NamedTuple):
    """How many points a layout's choice and the camera leave out: see `Counts`."""

    no_return: int = 0
    dropped: int = 0
    vehicle: int = 0
    duplicate: int = 0
    hidden: int = 0


class Counts(NamedTuple):
    """What happened to the points of a scan.

    Each counts once, under the first of these that applies: read = nonfinite +
    no_return + dropped + vehicle + duplicate + hidden + outside + drawn.

    Attributes
    ----------
    read : int
        Points in the file.
    nonfinite : int
        Points left out because one of their four numbers is NaN or infinite.
    no_return : int
        Points no farther from the origin than the layout's `min_range`: unless it says
        otherwise, points at exactly (0, 0, 0), where many files have beams without a
        return.
    dropped : int
        Points left out by the layout's `keep` or `drop`.
    vehicle : int
        Points in the layout's box `without`.
    duplicate : int
        Points left out by the layout's `duplicates`: their record is an earlier one's.
    hidden : int
        Points that the camera does not see, with the setting `camera_view`.
    outside : int
        Points left out because they are outside the encoding's region.
    outside_height : int
        Those of them that are so only because of their height.
    drawn : int
        Points in the image.
    cells : int
        Pixels with at least one point.
    """

    read: int
    nonfinite: int
    no_return: int = 0
    dropped: int = 0
    vehicle: int = 0
    duplicate: int = 0
    hidden: int = 0
    outside: int = 0
    outside_height: int = 0
    drawn: int = 0
    cells: int = 0

    def add(self, left_out: LeftOut) -> "Counts":
        """Return the counts with points that were left out before they were drawn."""
        return self._replace(read=self.read + sum(left_out), **left_out._asdict())

    def as_text(self) -> dict[str, str]:
        """Return the counts as an image's text has them, by keyword.

        Without `hidden` if it is 0, so that images of all points stay as they are.
        """
        items = self._asdict().items()
        return {
            f"{_PREFIX}{key}": str(count)
            for key, count in items
            if count or key != "hidden"
        }


_PREFIX = "birdview:"
KEYWORDS = tuple(f"{_PREFIX}{key}" for key in Counts._fields)
"""Keywords of the counts in an image's text."""


def parse_counts(text: Mapping[str, str]) -> Counts:
    """Return the counts in an image's text; raise KeyError if one is missing."""
    text = {f"{_PREFIX}hidden": "0", **text}
    return Counts(*(int(text[keyword]) for keyword in KEYWORDS))
