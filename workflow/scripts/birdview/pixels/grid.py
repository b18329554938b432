"""Convert metres to pixels and back: (x, y) <-> (row, col)."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray


class Interval(NamedTuple):
    """An interval in metres, with or without its ends."""

    min: float
    max: float
    has_min: bool
    has_max: bool

    def closed_ends(self, arithmetic: str) -> tuple[np.float32, np.float32]:
        """Return the least and the greatest float32 inside, as a type compares them."""
        real = np.dtype(arithmetic).type
        ends = real(self.min), real(self.max)
        low, high = map(np.float32, ends)
        # As Python's numbers: NumPy would compare in float32.
        (least, greatest), (lowest, highest) = map(float, (low, high)), map(float, ends)
        if least < lowest or (least == lowest and not self.has_min):
            low = np.nextafter(low, np.float32(np.inf))
        if greatest > highest or (greatest == highest and not self.has_max):
            high = np.nextafter(high, np.float32(-np.inf))
        return low, high


class Axis(NamedTuple):
    """The cells along x or y, and the row or column that each becomes.

    Cell `k`, counted from `origin`, reaches from ``origin + k * cell`` to
    ``origin + (k + 1) * cell``. The image holds `size` of them, from cell `first` on.

    Attributes
    ----------
    column : int
        The coordinate that is divided into cells: 0 for x, 1 for y, 2 for z.
    origin : float
        In metres; subtracted before the division, so it decides how edges round.
    cell : float
        The length of a cell in metres.
    first : int
        The cell at the lowest coordinate.
    size : int
        The number of cells.
    ascending : bool
        Whether the index grows with the coordinate.
    upper : bool
        Whether a point on the edge of two cells belongs to the one below: cells are
        ``(low, high]`` if so, else ``[low, high)``.
    arithmetic : str
        The NumPy type of subtraction and division: float32 or float64.
    """

    column: int
    origin: float
    cell: float
    first: int
    size: int
    ascending: bool
    upper: bool
    arithmetic: str = "float64"

    def to_index(self, metres: ArrayLike) -> NDArray[np.int64]:
        """Return the index of the cell that each coordinate is in.

        Indices outside the image are below 0, or `size` and more.

        Raises
        ------
        ValueError
            If a coordinate is not finite.
        """
        real = np.dtype(self.arithmetic).type
        coordinates: NDArray[np.floating] = np.asarray(metres, dtype=real)
        if not np.isfinite(coordinates).all():
            raise ValueError("coordinates must be finite to have a cell")
        quotients = (coordinates - real(self.origin)) / real(self.cell)
        cells = np.ceil(quotients) - 1 if self.upper else np.floor(quotients)
        return self._flip(np.asarray(cells).astype(np.int64) - self.first)

    def to_metres(self, index: ArrayLike) -> NDArray[np.float64]:
        """Return the coordinate of the middle of each cell, in metres."""
        cells = self._flip(np.asarray(index)) + self.first
        return self.origin + (cells.astype(np.float64) + 0.5) * self.cell

    def _flip(self, index: NDArray[np.int64]) -> NDArray[np.int64]:
        return index if self.ascending else self.size - 1 - index

    @property
    def slope_and_offset(self) -> tuple[float, float]:
        """The numbers with which ``slope * position + offset`` is in metres.

        Pixel `i` reaches from position `i` to `i + 1`; its middle is ``i + 0.5``.
        """
        if self.ascending:
            return self.cell, self.origin + self.first * self.cell
        return -self.cell, self.origin + (self.first + self.size) * self.cell


class Grid(NamedTuple):
    """The pixels of an image on the ground.

    Examples
    --------
    >>> from birdview import load_encoding
    >>> grid = load_encoding("mv3d").grid
    >>> row, col = grid.to_pixel(10.04, -5.02)
    >>> int(row), int(col)
    (699, 850)
    >>> x, y = grid.to_metres(row, col)
    >>> round(float(x), 2), round(float(y), 2)
    (10.05, -5.05)
    """

    rows: Axis
    cols: Axis

    @property
    def shape(self) -> tuple[int, int]:
        """The image's (rows, cols)."""
        return self.rows.size, self.cols.size

    def to_pixel(
        self, x: ArrayLike, y: ArrayLike
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the (row, col) of points at x, y metres.

        A point outside the image has a row or col outside 0..size - 1. (Ends that do
        not belong to an encoding's region have a pixel nevertheless.)

        Raises
        ------
        ValueError
            If a coordinate is not finite.
        """
        metres = x, y
        rows, cols = self
        return rows.to_index(metres[rows.column]), cols.to_index(metres[cols.column])

    def to_metres(
        self, row: ArrayLike, col: ArrayLike
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the (x, y) of the middles of pixels, in metres.

        The inverse of `to_pixel`: ``to_pixel(*to_metres(row, col)) == (row, col)``.
        """
        metres = {
            axis.column: axis.to_metres(index)
            for axis, index in zip(self, (row, col), strict=True)
        }
        return metres[0], metres[1]

    @property
    def affine(self) -> NDArray[np.float64]:
        """The matrix, shape (2, 3), with which ``matrix @ (x, y, 1)`` is (row, col).

        These are positions, not whole numbers: pixel (i, j) reaches from (i, j) to
        (i + 1, j + 1). OpenCV's positions are half a pixel less.
        """
        matrix = np.zeros((2, 3))
        for number, axis in enumerate(self):
            slope, offset = axis.slope_and_offset
            matrix[number, axis.column] = 1 / slope
            matrix[number, 2] = -offset / slope
        return matrix + 0.0  # no -0

    @property
    def affine_inverse(self) -> NDArray[np.float64]:
        """The matrix, shape (2, 3), with which ``matrix @ (row, col, 1)`` is (x, y)."""
        matrix = np.zeros((2, 3))
        for number, axis in enumerate(self):
            slope, offset = axis.slope_and_offset
            matrix[axis.column, number], matrix[axis.column, 2] = slope, offset
        return matrix
