"""Count what happened to the points of a scan."""

from typing import NamedTuple


class LeftOut(NamedTuple):
    """How many points a layout's choice leaves out: see `Counts`."""

    no_return: int = 0
    dropped: int = 0
    vehicle: int = 0
    duplicate: int = 0


class Counts(NamedTuple):
    """What happened to the points of a scan.

    Each counts once, under the first of these that applies: read = nonfinite +
    no_return + dropped + vehicle + duplicate + outside + drawn.

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
    outside: int = 0
    outside_height: int = 0
    drawn: int = 0
    cells: int = 0

    def add(self, left_out: LeftOut) -> "Counts":
        """Return the counts with points that were left out before they were drawn."""
        return self._replace(read=self.read + sum(left_out), **left_out._asdict())
