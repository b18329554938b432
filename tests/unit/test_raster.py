"""Draw points: compared with grids written by hand, and with the plain loops."""

import re

import numpy as np
import pytest
import yaml
from helpers import as_opencv
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from birdview.benchmark.reference import LOOPS
from birdview.counts import Counts
from birdview.paths import ENCODINGS
from birdview.pixels.encoding import load_encoding
from birdview.pixels.raster import Raster
from birdview.pixels.scan import read_scan

BUILT_IN = {name: load_encoding(name) for name in LOOPS}
RASTERS = {name: Raster(encoding) for name, encoding in BUILT_IN.items()}


def draw(name, points):
    """Draw points; return the image as `cv2.imread` does, and the counts."""
    points = np.array(points, dtype=np.float32).reshape(-1, 4)
    planes, counts = RASTERS[name].draw(points)
    assert counts.read == counts.nonfinite + counts.outside + counts.drawn
    return as_opencv(planes), counts


@pytest.fixture
def tiny(tmp_path):
    """Make a raster of 4 x 3 cells of 1 m: x down, y right, all from 0; z 0 to 10."""

    def tiny(**changes):
        settings = yaml.safe_load((ENCODINGS / "mv3d.yaml").read_text())
        settings["region"] = {
            "x": {"min": 0, "max": 4, "closed": "lower"},
            "y": {"min": 0, "max": 3, "closed": "lower"},
            "z": {"min": 0, "max": 10},
        }
        settings["grid"] = {"cell": 1, "rows": "x", "cols": "y"}
        settings["channels"] = [
            {"name": "n", "statistic": "count", "log": 4},
            {"name": "r", "statistic": "intensity_at_max", "range": [0, 1]},
            {"name": "z", "statistic": "max_height", "range": [0, 10]},
        ]
        path = tmp_path / "tiny.yaml"
        path.write_text(yaml.safe_dump(settings | changes))
        return Raster(load_encoding(path))

    return tiny


def as_points(*points):
    return np.array(points, dtype=np.float32).reshape(-1, 4)


def test_equals_a_grid_written_by_hand(tiny):
    """The highest point of a cell gives height and intensity; all points count."""
    planes, counts = tiny().draw(
        as_points([0, 0, 5, 0.2], [0.99, 0, 10, 0.4], [3, 2.5, 0, 1], [1.5, 1, 2, 0])
    )
    height = [[255, 0, 0], [0, 51, 0], [0, 0, 0], [0, 0, 0]]
    intensity = [[102, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 255]]
    # ln 2 / ln 4 and ln 3 / ln 4 of 255 are 127.5, rounded half to even, and 202.1.
    density = [[202, 0, 0], [0, 128, 0], [0, 0, 0], [0, 0, 128]]
    assert planes.transpose(2, 0, 1).tolist() == [density, intensity, height]
    assert counts == Counts(read=4, nonfinite=0, outside=0, drawn=4, cells=3)


def test_points_left_out_are_counted(tiny):
    """The far edges and beyond are outside; NaN and inf are not finite."""
    nan, inf = np.nan, np.inf
    outside = [4, 0, 1, 0], [0, 3, 1, 0], [-0.01, 0, 1, 0], [0, 0, 10.01, 0]
    nonfinite = [nan, 0, 1, 0], [0, inf, 1, 0], [0, 0, -inf, 0], [0, 0, 1, nan]
    both = [9, 9, nan, 0]
    planes, counts = tiny().draw(as_points(*outside, *nonfinite, both))
    assert not planes.any()
    assert counts == Counts(read=9, nonfinite=5, outside=4, outside_height=1)


def test_ties_go_to_the_first_in_the_file(tiny):
    """Equal heights, different reflectances."""
    planes, _ = tiny().draw(as_points([0, 0, 1, 0.2], [0, 0, 1, 0.8], [0, 0, 1, 1]))
    assert planes[0, 0, 1] == 51


def test_values_beyond_the_range_are_clamped(tiny):
    """Reflectances below 0 and above 1 are black and white."""
    planes, _ = tiny().draw(as_points([0, 0, 1, -3], [1, 0, 1, 70]))
    assert planes[:2, 0, 1].tolist() == [0, 255]


def test_counts_saturate(tiny):
    """A cell is white from base - 1 points on."""
    raster = tiny()
    full = [
        raster.draw(as_points(*[[0, 0, 1, 0]] * n))[0][0, 0, 0] for n in (2, 3, 4, 9)
    ]
    assert full == [202, 255, 255, 255]


@pytest.mark.parametrize("arithmetic", ["float32", "float64"])
@pytest.mark.parametrize("statistic", ["majority", "at_max", "max", "min", "mean"])
def test_classes_are_pixels(tiny, arithmetic, statistic):
    """Each of 0 to 255 becomes itself, and the background is where no point has one."""
    channel = {"statistic": statistic, "of": "class", "range": [0, 255]}
    raster = tiny(
        channels=[channel | {"name": "class"}],
        arithmetic=arithmetic,
        background=255,
    )
    for value in range(256):
        classes = np.array([value, value, np.nan], dtype=np.float32)
        points = as_points([0, 0, 5, 0.2], [0, 0, 5, 0.2], [2, 1, 1, 0])
        planes, counts = raster.draw(points, {"class": classes, "other": classes[:1]})
        expected = np.full((4, 3), 255)
        expected[0, 0] = value
        np.testing.assert_array_equal(planes[..., 0], expected)
        assert counts.cells == 2


@pytest.mark.parametrize("number", [1, 3])
def test_background_is_where_no_point_is(tiny, number):
    """In stacked planes and in those of a colour image; also in empty slices."""
    channel = {"statistic": "occupancy"}
    channels = [channel | {"name": "a"}, channel | {"name": "b", "slice": 0}]
    raster = tiny(
        channels=[*channels, channel | {"name": "c", "slice": 1}][:number],
        slices=2,
        background=7,
    )
    planes, _ = raster.draw(as_points([0, 0, 2, 0], [1, 2, 9, 0]))
    assert planes[0, 0].tolist() == [255, 255, 7][:number]
    assert planes[1, 2].tolist() == [255, 7, 255][:number]
    planes[[0, 1], [0, 2]] = 7
    assert (planes == 7).all()


def test_mean_of_infinite_values_of_both_signs_is_none(tiny):
    """One sign is beyond every range; a scan's range is that of finite values."""
    inf = np.inf
    mean = {"statistic": "mean", "of": "velocity"}
    channels = [mean | {"name": "a", "range": [-5, 5]}]
    channels += [mean | {"name": "b", "range": "scan"}]
    points = as_points(*[[row, 0, 1, 0] for row in (0, 0, 1, 2, 3, 3)], [0, 1, 1, 0])
    velocity = np.array([inf, -inf, inf, -inf, 1, 3, 4], dtype=np.float32)
    raster = tiny(channels=channels, background=9)
    planes, _ = raster.draw(points, {"velocity": velocity})
    assert planes[:, 0].tolist() == [[9, 9], [255, 255], [0, 0], [178, 128]]
    assert planes[0, 1].tolist() == [230, 255]


def test_missing_field_is_named(tiny):
    """All of them, and those of another length."""
    largest = {"statistic": "max", "range": [0, 1]}
    channels = [largest | {"name": of, "of": of} for of in ("ring", "z", "age", "time")]
    raster, points = tiny(channels=channels), as_points([0, 0, 1, 0], [0, 0, 1, 0])
    column = np.zeros(2, dtype=np.float32)
    message = (
        "fields of the points: ring missing, age of shape (2, 1), expected one of "
        "shape (2,) for each that encoding tiny needs: ring, age, time"
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        raster.draw(points, {"age": column[:, np.newaxis], "time": column})
    with pytest.raises(ValueError, match="ring missing, age missing, time missing"):
        raster.draw(points)


def test_nothing_of_the_last_scan_remains(tiny):
    """The work arrays are cleared."""
    raster = tiny()
    first = raster.draw(as_points([0, 0, 5, 0.2], [1, 1, 9, 1]))[0].copy()
    raster.draw(as_points(*[[2, 2, 9, 1]] * 50))
    again, counts = raster.draw(as_points([0, 0, 5, 0.2], [1, 1, 9, 1]))
    np.testing.assert_array_equal(again, first)
    assert counts.cells == 2
    assert not raster.draw(as_points())[0].any()


def test_full_image_is_scaled_from_its_least_value(tiny):
    """Only empty cells count as 0."""
    heights = np.arange(2, 14, dtype=np.float32) / 2
    cells = [[row, col] for row in range(4) for col in range(3)]
    points = [[x, y, z, 0] for (x, y), z in zip(cells, heights, strict=True)]
    channel = {"statistic": "max_height", "range": "scan"}
    raster = tiny(channels=[channel | {"name": name} for name in "abc"])
    expected = np.rint(np.interp(heights, [1, 6.5], [0, 255]))
    planes, _ = raster.draw(as_points(*points))
    assert planes[..., 0].ravel().tolist() == expected.tolist()
    planes, _ = raster.draw(as_points(*points[1:]))
    expected = np.rint(np.interp(heights[1:], [0, 6.5], [0, 255]))
    assert planes[..., 0].ravel().tolist() == [0, *expected]


def test_density_of_the_notebook_is_the_number_of_record_highs():
    """How often a point was lower than all before it, not how many there are."""
    lower_and_lower = [[5, 5, -z, 0.5] for z in (0.1, 0.2, 0.3, 0.4)]
    falling, rising = (
        lower_and_lower,
        [[9, 9, z, r] for _, _, z, r in lower_and_lower[::-1]],
    )
    image, counts = draw("notebook", [*falling, *rising])
    grid = load_encoding("notebook").grid
    assert image[grid.to_pixel(5, 5)].tolist() == [255, 128, 255]
    assert image[grid.to_pixel(9, 9)].tolist() == [255, 128, 64]
    assert counts.drawn == 8


@pytest.mark.parametrize("name", LOOPS)
def test_equals_the_loop_on_real_scans(name, kitti_scans):
    """Every pixel of every scan."""
    for scan in kitti_scans:
        points = read_scan(scan)
        image, counts = draw(name, points)
        np.testing.assert_array_equal(image, LOOPS[name](points))
        assert counts.drawn > 50_000


def steps_around(edges):
    """Return the numbers 1 mm below each edge, on it and 1 mm above it."""
    return np.add.outer(np.round(edges, 3), [-0.001, 0, 0.001]).ravel().round(3)


def adversarial_points(name):
    """Return points within 1 mm of all edges of an encoding, with ties and NaN."""
    encoding, rng = load_encoding(name), np.random.default_rng(0)
    x, y = (
        steps_around(axis.origin + axis.cell * (axis.first + np.arange(axis.size + 1)))
        for axis in sorted(encoding.grid)
    )
    z = encoding.z
    lows = encoding.slices.lows if encoding.slices else (z.min,)
    edges = [edge for edge in (*lows, z.max, -1.73, 0) if np.isfinite(edge)]
    z = np.append(steps_around(edges), -0.0)
    r = [0, 0.1, 0.3, 0.5, 0.99, 1, 1.5, -1]
    size = 2 * max(len(x), len(y))
    corners = np.array([(a, b) for a in x[[0, 1, 2, -1]] for b in y[[0, 1, 2, -1]]])
    positions = np.concatenate(
        [
            np.stack(
                [rng.permutation(np.resize(axis, size)) for axis in (x, y)], axis=1
            ),
            np.stack([rng.choice(axis[:9], size) for axis in (x, y)], axis=1),
            np.repeat(corners, 20, axis=0),
        ]
    )
    count = len(positions)
    points = np.column_stack([positions, rng.choice(z, count), rng.choice(r, count)])
    points[rng.integers(count, size=20), rng.integers(4, size=20)] = np.nan
    return points.astype(np.float32)


@pytest.mark.parametrize("name", LOOPS)
def test_equals_the_loop_on_every_edge(name):
    """Cell and slice edges in 1 mm steps, ties, far edges, NaN; and in reverse."""
    points = adversarial_points(name)
    for some in (points, points[::-1]):
        image, counts = draw(name, some)
        np.testing.assert_array_equal(image, LOOPS[name](some))
        assert counts.nonfinite
        assert counts.outside > 100
        assert counts.drawn > 1000


@pytest.mark.parametrize("name", LOOPS)
@pytest.mark.parametrize(
    "points",
    [
        np.zeros((0, 4)),
        np.array([[10, -5, -1, 0.5]]),
        np.array([[10, -5, 0, 0.5]]),
        np.full((3, 4), np.nan),
    ],
    ids=["none", "one", "one at z = 0", "NaN"],
)
def test_equals_the_loop_on_few_points(name, points):
    """One point, none, and none that is finite."""
    points = points.astype(np.float32)
    np.testing.assert_array_equal(draw(name, points)[0], LOOPS[name](points))


def test_point_rounded_beyond_an_open_end_is_outside():
    """Below 1 m, but in the 36th slice in float32, where PIXOR's code fails."""
    below = np.nextafter(np.float32(1), np.float32(0))
    assert np.float32(below + np.float32(2.5)) / np.float32(0.1) == 35
    image, counts = draw("pixor", [[10, -5, below, 0.5]])
    assert counts == Counts(read=1, nonfinite=0, outside=1, outside_height=1)
    assert not image.any()


coordinates = st.floats(-82, 82, width=32) | st.integers(-820, 820).map(
    lambda tenths: float(np.float32(tenths / 10))
)
some_points = hnp.arrays(
    np.float32,
    st.tuples(st.integers(0, 60), st.just(4)),
    elements=coordinates | st.sampled_from([np.nan, np.inf, -np.inf, -0.0]),
)


@pytest.mark.parametrize("name", LOOPS)
@settings(max_examples=30, deadline=None)
@given(points=some_points)
def test_equals_the_loop_on_any_points(name, points):
    """Including NaN, infinities and -0.0."""
    points[:, 2:] /= 30
    np.testing.assert_array_equal(draw(name, points)[0], LOOPS[name](points))


@pytest.mark.parametrize("name", LOOPS)
@settings(max_examples=20, deadline=None)
@given(points=some_points)
def test_points_are_drawn_where_the_grid_says(name, points):
    """The kernel and `Grid.to_pixel` agree, and no other pixel is drawn."""
    encoding = BUILT_IN[name]
    points[:, 2] = -0.5
    points[:, 3] = 1
    planes, counts = RASTERS[name].draw(points)
    points = points[np.isfinite(points).all(axis=1)]
    for column, (low, high, has_min, has_max) in enumerate((encoding.x, encoding.y)):
        values = points[:, column].astype(encoding.arithmetic)
        inside = (low < values) & (values < high)
        inside |= (has_min & (values == low)) | (has_max & (values == high))
        points = points[inside]
    row, col = encoding.grid.to_pixel(points[:, 0], points[:, 1])
    rows, cols = encoding.grid.shape
    on_grid = (row >= 0) & (row < rows) & (col >= 0) & (col < cols)
    assert counts.drawn == on_grid.sum()
    expected = np.zeros((rows, cols), dtype=bool)
    expected[row[on_grid], col[on_grid]] = True
    np.testing.assert_array_equal(planes.any(axis=2), expected)


def test_order_of_points_of_different_cells_does_not_matter(kitti_scans):
    """Sorting the cells, but not the points within each, changes no pixel."""
    points = read_scan(kitti_scans[0])
    for name in LOOPS:
        image, _ = draw(name, points)
        row, col = load_encoding(name).grid.to_pixel(*points[:, :2].T)
        order = np.lexsort((col, row))  # stable
        np.testing.assert_array_equal(draw(name, points[order])[0], image)
