"""The figures about a scan's points are those that a plain loop finds."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from birdview.demo import simulate_scan
from birdview.pixels.encoding import load_encoding
from birdview.pixels.figures import (
    BLOCK,
    CLOSE,
    DIM,
    KEYWORD,
    NEAR,
    TINY,
    Figures,
    count_zero_bytes,
    parse_figures,
)
from birdview.pixels.raster import Raster


def figures_of(points, encoding="mv3d"):
    """Return what the kernel finds."""
    raster = Raster(load_encoding(encoding))
    raster.draw(np.asarray(points, dtype=np.float32).reshape(-1, 4))
    return raster.figures


def find_road(heights):
    """Return the points of the lowest 0.6 m that hold many, those below, the mean."""
    layers = {}
    for z in heights:
        layers.setdefault(math.floor(5 * float(z)) + 128, []).append(float(z))
    counts = [len(layers.get(k, ())) for k in range(256)]
    sums = [sum(counts[k : k + 3]) for k in range(254)]
    if max(sums) < 20:
        return max(sums), 0, math.nan
    k = next(k for k in range(254) if 2 * sums[k] >= max(sums))
    while k < 253 and sums[k + 1] > sums[k]:
        k += 1
    road = sum(sum(layers.get(n, [])) for n in (k, k + 1, k + 2)) / sums[k]
    return sums[k], sum(counts[:k]), road


def loop(points):
    """Find the figures of a sample as `Figures` explains them, one point at a time."""
    points = np.asarray(points, dtype=np.float32).reshape(-1, 4)
    run, step = (1, 1) if len(points) <= 2048 else (4, len(points) // 512)
    step += next(more for more in range(30) if math.gcd(step + more, 30) == 1)
    chosen = [p for k in range(0, len(points), step) for p in points[k : k + run]]
    sample = [p for p in chosen if np.isfinite(p).all()]
    near, quarters, squares = [], ([], [], [], []), []
    for x, y, z, _ in sample:
        square = x * x + y * y
        squares.append(square)
        if not (NEAR[0] ** 2 <= square <= NEAR[1] ** 2 and -25.6 <= z < 25.6):
            continue
        near.append(z)
        if square <= CLOSE**2:
            along = abs(x) >= abs(y)
            quarters[(0 if x > 0 else 1) if along else (2 if y > 0 else 3)].append(z)
    intensities = [p[3] for p in sample] or [np.float32(0)]
    on_road, below, road = find_road(near)
    found = Figures(
        sampled=len(sample),
        negative=sum(p[3] < 0 for p in sample),
        bright=sum(p[3] > 1 for p in sample),
        dim=sum(p[3] < np.float32(DIM) for p in sample),
        odd=sum(x == y or y == z or z == x for x, y, z, _ in sample),
        tiny=sum(any(0 < abs(v) < np.float32(TINY) for v in p[:3]) for p in sample),
        least=float(min(intensities)),
        greatest=float(max(intensities)),
        near=len(near),
        on_road=on_road,
        below=below,
        road=road,
    )
    ends = [find_road(quarter)[2] for quarter in quarters]
    return found._replace(
        **dict(zip(("ahead", "behind", "left", "right"), ends, strict=True))
    ), squares


def check(points):
    """Compare the kernel with the loop."""
    found, (expected, squares) = figures_of(points), loop(points)
    for key in ("reach", "far", "compared", "repeated", "scale_share"):
        expected = expected._replace(**{key: getattr(found, key)})
    np.testing.assert_allclose(found, expected, rtol=1e-12, equal_nan=True)
    for end, share in ((found.reach, 0.5), (found.far, 0.9)):
        if squares and end:  # the power of the root of 2 above the quantile
            below = [s for s in squares if s < np.float32(end * end * 1.000001)]
            half = [s for s in squares if s < np.float32(end * end / 2 * 0.999999)]
            assert len(below) > share * len(squares) >= len(half)


STREET = simulate_scan(0, 0)
NOISE = np.random.default_rng(3)


@pytest.mark.parametrize(
    "points",
    [
        *(STREET[: len(STREET) // n * n : n] for n in (1, 2, 7, 40)),
        STREET * np.float32([-1, 1, -1, 300]),
        NOISE.normal([0, 0, -1.7, 0.3], [20, 20, 0.4, 0.4], (9000, 4)),
        NOISE.integers(-3, 4, (5000, 4)),
        np.where(NOISE.random((3000, 4)) < 0.1, np.nan, NOISE.normal(0, 9, (3000, 4))),
        np.where(NOISE.random((999, 4)) < 0.1, -np.inf, NOISE.normal(0, 9, (999, 4))),
        NOISE.normal(0, 1e-31, (500, 4)),
        [[5, 0, -1.7, 0.5]],
        [[5, 0, 1e9, 0.5]],
        np.empty((0, 4)),
    ],
    ids=lambda points: f"{len(points)} points",
)
def test_figures_equal_those_of_a_loop(points):
    """Of the street of the demo, whole and thinned out, of noise, and of nothing."""
    check(points)


numbers = st.floats(-30, 30, width=32) | st.sampled_from([-1.73, -1.5, 0.0, 1e-31])


@settings(max_examples=60, deadline=None)
@given(
    points=hnp.arrays(
        np.float32,
        st.tuples(st.integers(0, 60), st.just(4)),
        elements=numbers.map(np.float32) | st.sampled_from([np.nan, np.inf, -np.inf]),
    )
)
def test_figures_of_any_points_equal_those_of_a_loop(points):
    """Including NaN, infinities, zeros and numbers that are all but zero."""
    check(points)


def test_figures_of_real_scans_equal_those_of_a_loop(kitti_scans):
    """As they are read."""
    for scan in kitti_scans:
        check(np.fromfile(scan, dtype="<f4"))


@pytest.mark.parametrize(
    "double",
    [
        lambda points: np.repeat(points, 2, axis=0),
        lambda points: np.concatenate([points, points]),
        lambda points: np.concatenate(
            [
                part
                for k in range(0, len(points), 33)
                for part in [points[k : k + 33]] * 2
            ]
        ),
    ],
    ids=["each point", "the whole", "each packet"],
)
def test_points_that_are_there_twice_are_found(double):
    """However they are arranged; those of a usual scan are not."""
    usual, twice = figures_of(STREET), figures_of(double(STREET))
    assert usual.repeated == 0
    assert usual.compared > 100
    assert twice.compared > 100
    assert twice.repeated == pytest.approx(twice.compared / 2, rel=0.05)


def test_range_that_few_points_set():
    """Three outliers do not hide the share that the others use; four are a thing."""
    grid = np.mgrid[5:25, -9:9].reshape(2, -1).T
    points = np.zeros((len(grid), 4), dtype=np.float32)
    points[:, :2], points[:, 2] = grid, np.linspace(-1.73, -0.5, len(grid))
    assert figures_of(points, "notebook").scale_share > 0.9
    points[:3, 2] = -34.6
    assert figures_of(points, "notebook").scale_share == pytest.approx(0.05, abs=0.01)
    points[3, 2] = -34.6
    assert figures_of(points, "notebook").scale_share == 1
    assert figures_of(points, "mv3d").scale_share == 1  # its planes have fixed ranges


@pytest.mark.parametrize(
    ("used", "size", "zeros"),
    [
        (BLOCK * 2, BLOCK * 4, BLOCK * 2),
        (BLOCK * 2, BLOCK * 4 + 16, BLOCK * 2 + 16),
        (BLOCK * 2 - 3, BLOCK * 4, BLOCK * 2),  # the last number ends in zeros itself
        (BLOCK * 2 - 4, BLOCK * 4, 0),
        (BLOCK * 2 + 16, BLOCK * 4, 0),
        (BLOCK * 2, BLOCK * 3 - 1, 0),
        (0, BLOCK * 3, BLOCK * 3),
        (0, BLOCK - 1, 0),
        (BLOCK * 3, BLOCK * 3, 0),
        (0, 0, 0),
    ],
)
def test_zeros_at_the_end_of_a_file(used, size, zeros):
    """Those from the start of a block on, if that holds nothing else."""
    data = np.zeros(size, dtype=np.uint8)
    data[:used] = 7
    assert count_zero_bytes(data) == zeros


def test_text_of_figures_is_read_back():
    """To six digits; that of another version is none."""
    figures = figures_of(STREET)
    text = {KEYWORD: str(figures)}
    np.testing.assert_allclose(parse_figures(text), figures, rtol=1e-5)
    assert math.isnan(parse_figures({KEYWORD: str(Figures())}).road)
    assert parse_figures({}) is None
    assert parse_figures({KEYWORD: "sampled=1 later=2"}) is None
    assert parse_figures({KEYWORD: "sampled=many"}) is None
    assert Counter(str(figures))["="] == len(figures)
