"""Grids: metres <-> (row, col)."""

from typing import NamedTuple

import numpy as np


class Axis(NamedTuple):
    """The cells along x or y, and the row or column that each becomes.

    Cell `k`, counted from `origin`, reaches from ``origin + k * cell`` to
    ``origin + (k + 1) * cell``. The image holds `size` of them, from cell `first` on.

    Attributes
    ----------
    column : int
        The column of the points that is divided: 0 for x, 1 for y, 2 for z.
    origin : float
        Metres; subtracted before the division, so it decides how edges round.
    cell : float
        The length of a cell in metres.
    first : int
        The cell at the lowest coordinate.
    size : int
        The number of cells.
    ascending : bool
        Whether the index grows with the coordinate.
    upper : bool
        Whether a point on the edge of two cells is in the one below it:
        cells are ``(low, high]`` if so, else ``[low, high)``.
    arithmetic : str
        The NumPy type in which is subtracted and divided: float32 or float64.
    """

    column: int
    origin: float
    cell: float
    first: int
    size: int
    ascending: bool
    upper: bool
    arithmetic: str = "float64"

    def to_index(self, metres):
        """Return the index of the cell that holds each coordinate, as int64.

        Beyond the image the count goes on: below 0 or from `size` up.

        Raises
        ------
        ValueError
            If a coordinate is not finite.
        """
        real = np.dtype(self.arithmetic).type
        metres = np.asarray(metres, dtype=real)
        if not np.isfinite(metres).all():
            raise ValueError("coordinates must be finite to have a cell")
        cells = (metres - real(self.origin)) / real(self.cell)
        cells = np.ceil(cells) - 1 if self.upper else np.floor(cells)
        return self._flip(cells.astype(np.int64) - self.first)

    def to_metres(self, index):
        """Return the coordinate of the middle of each cell, in metres, as float64."""
        number = self._flip(np.asarray(index)) + self.first
        return self.origin + (number + 0.5) * self.cell

    def _flip(self, index):
        return index if self.ascending else self.size - 1 - index

    @property
    def line(self):
        """Slope and offset: ``slope * pixels + offset`` is a coordinate in metres.

        The pixel `i` reaches from `i` to `i + 1`, so its middle is at ``i + 0.5``.
        """
        if self.ascending:
            return self.cell, self.origin + self.first * self.cell
        return -self.cell, self.origin + (self.first + self.size) * self.cell


class Grid(NamedTuple):
    """A map's pixels on the ground.

    Examples
    --------
    >>> from birdview.encoding import load_encoding
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
    def shape(self):
        """The image's (rows, cols)."""
        return self.rows.size, self.cols.size

    def to_pixel(self, x, y):
        """Return the (row, col) of points at x, y metres, each int64.

        A point outside the map has a row or col outside 0..size - 1. (Ends that do not
        belong to an encoding's region have a pixel all the same.)

        Raises
        ------
        ValueError
            If a coordinate is not finite.
        """
        metres = (x, y)
        return tuple(axis.to_index(metres[axis.column]) for axis in self)

    def to_metres(self, row, col):
        """Return the (x, y) of the middles of pixels, in metres, each float64.

        The inverse of `to_pixel`: ``to_pixel(*to_metres(row, col)) == (row, col)``.
        """
        metres = {
            axis.column: axis.to_metres(index)
            for axis, index in zip(self, (row, col), strict=True)
        }
        return metres[0], metres[1]

    @property
    def affine(self):
        """The matrix, shape (2, 3), of which ``matrix @ (x, y, 1)`` is (row, col).

        Not whole numbers, but places between them: pixel (i, j) reaches from (i, j) to
        (i + 1, j + 1). Its middle, where OpenCV draws, is half a pixel further.
        """
        matrix = np.zeros((2, 3))
        for number, axis in enumerate(self):
            slope, offset = axis.line
            matrix[number, axis.column] = 1 / slope
            matrix[number, 2] = -offset / slope
        return matrix + 0.0  # no -0

    @property
    def affine_inverse(self):
        """The matrix, shape (2, 3), of which ``matrix @ (row, col, 1)`` is (x, y)."""
        matrix = np.zeros((2, 3))
        for number, axis in enumerate(self):
            matrix[axis.column, number], matrix[axis.column, 2] = axis.line
        return matrix
