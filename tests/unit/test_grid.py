"""Metres <-> (row, col), edge by edge."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from birdview.encoding import load_encoding
from birdview.grid import Axis, Grid

LOWER = Axis(0, origin=-1.0, cell=0.5, first=0, size=4, ascending=True, upper=False)
UPPER = LOWER._replace(origin=0.0, first=-2, upper=True)


def test_cells_that_hold_their_lower_edge():
    """[-1, -0.5) is cell 0; 1, the far edge, is outside."""
    metres = [-1.01, -1, -0.51, -0.5, 0, 0.99, 1, 1.5]
    assert LOWER.to_index(metres).tolist() == [-1, 0, 0, 1, 2, 3, 4, 5]


def test_cells_that_hold_their_upper_edge():
    """(-1, -0.5] is cell 0; -1, the far edge, is outside."""
    metres = [-1, -0.99, -0.5, -0.49, 0, 0.01, 1, 1.01]
    assert UPPER.to_index(metres).tolist() == [-1, 0, 0, 1, 1, 2, 3, 4]


def test_descending_counts_from_the_other_end():
    """The cell at the greatest coordinate is 0."""
    axis = LOWER._replace(ascending=False)
    assert axis.to_index([-1, 0, 0.99, 1]).tolist() == [3, 1, 0, -1]
    assert axis.to_metres([0, 3]).tolist() == [0.75, -0.75]


def test_which_axis_is_whose():
    """x, y go in and row, col come out, whichever way the map is turned."""
    x, y = LOWER, LOWER._replace(column=1, size=8)
    assert Grid(rows=x, cols=y).to_pixel(-1, 0) == (0, 2)
    assert Grid(rows=y, cols=x).to_pixel(-1, 0) == (2, 0)
    assert Grid(rows=y, cols=x).to_metres(2, 0) == (-0.75, 0.25)
    assert Grid(rows=y, cols=x).shape == (8, 4)


@pytest.mark.parametrize("metres", [np.nan, np.inf, -np.inf])
def test_no_cell_for_what_is_not_finite(metres):
    """A cast to int would make up a number."""
    with pytest.raises(ValueError, match="must be finite"):
        LOWER.to_index([0, metres])


@pytest.mark.parametrize("name", ["notebook", "mv3d"])
@given(row=st.integers(0, 1599), col=st.integers(0, 1599))
def test_inverse_pair(name, row, col):
    """The middle of every pixel is in that pixel."""
    grid = load_encoding(name).grid
    assert grid.to_pixel(*grid.to_metres(row, col)) == (row, col)


def test_shipped_maps_look_where_they_say():
    """One metre ahead is up in mv3d and left in the notebook's map."""
    assert load_encoding("mv3d").grid.to_pixel(1, 0) == (789, 799)
    assert load_encoding("notebook").grid.to_pixel(1, 0) == (800, 790)
