"""Convert metres to (row, col) and back, edge by edge."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from birdview.benchmark.reference import LOOPS
from birdview.pixels.encoding import load_encoding
from birdview.pixels.grid import Axis, Grid

GRIDS = {name: load_encoding(name).grid for name in LOOPS}
LOWER = Axis(0, origin=-1.0, cell=0.5, first=0, size=4, ascending=True, upper=False)
UPPER = LOWER._replace(origin=0.0, first=-2, upper=True)


def test_cells_with_closed_lower_edges():
    """[-1, -0.5) is cell 0; 1, the far edge, is outside."""
    metres = [-1.01, -1, -0.51, -0.5, 0, 0.99, 1, 1.5]
    assert LOWER.to_index(metres).tolist() == [-1, 0, 0, 1, 2, 3, 4, 5]


def test_cells_with_closed_upper_edges():
    """(-1, -0.5] is cell 0; -1, the far edge, is outside."""
    metres = [-1, -0.99, -0.5, -0.49, 0, 0.01, 1, 1.01]
    assert UPPER.to_index(metres).tolist() == [-1, 0, 0, 1, 1, 2, 3, 4]


def test_descending_axis_counts_from_the_other_end():
    """The cell at the greatest coordinate is 0."""
    axis = LOWER._replace(ascending=False)
    assert axis.to_index([-1, 0, 0.99, 1]).tolist() == [3, 1, 0, -1]
    assert axis.to_metres([0, 3]).tolist() == [0.75, -0.75]


def test_rows_and_cols_may_follow_x_or_y():
    """x, y go in and row, col come out, whatever the orientation."""
    x, y = LOWER, LOWER._replace(column=1, size=8)
    assert Grid(rows=x, cols=y).to_pixel(-1, 0) == (0, 2)
    assert Grid(rows=y, cols=x).to_pixel(-1, 0) == (2, 0)
    assert Grid(rows=y, cols=x).to_metres(2, 0) == (-0.75, 0.25)
    assert Grid(rows=y, cols=x).shape == (8, 4)


@pytest.mark.parametrize("metres", [np.nan, np.inf, -np.inf])
def test_coordinates_must_be_finite(metres):
    """A cast to int would make up a cell."""
    with pytest.raises(ValueError, match="must be finite"):
        LOWER.to_index([0, metres])


@pytest.mark.parametrize("name", LOOPS)
@given(row=st.integers(0, 1599), col=st.integers(0, 1599))
def test_to_metres_is_the_inverse_of_to_pixel(name, row, col):
    """The middle of every pixel is in that pixel, and half a pixel from its corner."""
    grid = GRIDS[name]
    row, col = row % grid.shape[0], col % grid.shape[1]
    x, y = grid.to_metres(row, col)
    assert grid.to_pixel(x, y) == (row, col)
    position = grid.affine @ (x, y, 1)
    np.testing.assert_allclose(position, (row + 0.5, col + 0.5), atol=1e-9)
    np.testing.assert_allclose(grid.affine_inverse @ (*position, 1), (x, y), atol=1e-9)


def test_affine_of_a_turned_grid():
    """Written out: x down from -1, y to the left up to 3, in cells of 0.5 m."""
    rows = LOWER
    cols = LOWER._replace(column=1, origin=1.0, ascending=False)
    grid = Grid(rows, cols)
    assert grid.affine.tolist() == [[2, 0, 2], [0, -2, 6]]
    assert grid.affine_inverse.tolist() == [[0.5, 0, -1], [0, -0.5, 3]]
    assert not np.signbit(grid.affine[0, 1])


def test_float32_rounds_differently():
    """In float32, 0.3 / 0.1 is 3; in float64, the float32 0.3 is above, 0.7 below."""
    axis = Axis(0, 0.0, 0.1, 0, 10, ascending=True, upper=False)
    metres = np.array([0.3, 0.7], dtype=np.float32)
    assert axis.to_index(metres).tolist() == [3, 6]
    assert axis._replace(arithmetic="float32").to_index(metres).tolist() == [3, 7]


def test_built_in_encodings_have_their_orientation():
    """One metre ahead is up in mv3d and to the left in notebook."""
    assert load_encoding("mv3d").grid.to_pixel(1, 0) == (789, 799)
    assert load_encoding("notebook").grid.to_pixel(1, 0) == (800, 790)
    assert load_encoding("complex_yolo").grid.to_pixel(1, 0) == (12, 304)
    assert load_encoding("pixor").grid.to_pixel(1.05, 0.05) == (400, 10)
    assert load_encoding("birdnet").grid.to_pixel(1.02, 0.02) == (1379, 699)
    assert load_encoding("avod_like").grid.to_pixel(1.05, 0.05) == (689, 399)
    assert load_encoding("lyft").grid.to_pixel(1, 0.1) == (168, 170)
