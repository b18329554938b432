"""Count what happened to the points of a scan."""

from typing import NamedTuple


class Counts(NamedTuple):
    """What happened to the points of a scan: read = nonfinite + outside + drawn.

    Attributes
    ----------
    read : int
        Points in the file.
    nonfinite : int
        Points left out because one of their four numbers is NaN or infinite.
    outside : int
        Other points left out because they are outside the encoding's region.
    drawn : int
        Points in the image.
    cells : int
        Pixels with at least one point.
    """

    read: int
    nonfinite: int
    outside: int
    drawn: int
    cells: int
