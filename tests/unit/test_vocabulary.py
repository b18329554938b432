"""Any encoding that can be written: against one plain loop that reads its yaml."""

from math import ceil, floor, inf, isfinite, log

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from birdview.encoding import load_encoding
from birdview.raster import Raster

ROWS, COLS = 4, 3


def draw_plainly(points, encoding):
    """Draw points as the settings of an encoding say, on 4 x 3 cells: the planes."""
    real = np.dtype(encoding["arithmetic"]).type
    region, cells = encoding["region"], encoding["grid"]["cell"]
    up, ground = (1 if encoding["height"] == "z" else -1), real(encoding["ground"])
    parts = encoding["slices"]
    z_min, z_max = region["z"]["min"], region["z"]["max"]
    if isinstance(parts, int):
        step = (z_max - z_min) / parts
        edges = [z_min + k * step for k in range(parts)] + [z_max]
    else:
        edges = parts
    inside = {}  # (part, row, col) -> heights and intensities; part None is all
    for x, y, z, r in points:
        if not all(map(isfinite, (x, y, z, r))):
            continue
        index = []
        for value, axis, size in ((x, "x", ROWS), (y, "y", COLS)):
            low, high, closed = region[axis].values()
            if not is_between(real(value), real(low), real(high), closed):
                break
            quotient = (real(value) - real(low)) / real(cells[axis])
            index.append(ceil(quotient) - 1 if closed == "upper" else floor(quotient))
            if not 0 <= index[-1] < size:
                break
        else:
            closed = region["z"]["closed"]
            if not is_between(real(z), real(z_min), real(z_max), closed):
                continue
            is_top = closed in ("upper", "both") and edges[-1] == z_max
            if isinstance(parts, int):
                part = max(0, floor((real(z) - real(z_min)) / real(step)))
            else:
                part = sum(real(z) >= real(edge) for edge in edges) - 1
            if part >= len(edges) - 1:
                if is_top:
                    part = len(edges) - 2
                elif edges[-1] == z_max:
                    continue
            row, col = index
            if encoding["grid"]["rows"] == "-x":
                row = ROWS - 1 - row
            if encoding["grid"]["cols"] == "-y":
                col = COLS - 1 - col
            point = up * (real(z) - ground), real(r)
            inside.setdefault((None, row, col), []).append(point)
            if 0 <= part < len(edges) - 1:
                inside.setdefault((part, row, col), []).append(point)
    planes = []
    for channel in encoding["channels"]:
        wanted = channel.get("slice")
        numbers = range(len(edges) - 1) if wanted == "each" else [wanted]
        for part in numbers:
            values = {
                (row, col): statistic_of(in_cell, channel["statistic"], real)
                for (of, row, col), in_cell in inside.items()
                if of == part
            }
            plane = np.zeros((ROWS, COLS), dtype=np.uint8)
            for cell, value in values.items():
                share = scale(value, channel, part, edges, values, encoding, real)
                if encoding["precision"] == "float32":
                    share = float(np.float32(share))
                share = min(max(share, 0), 255)
                truncates = encoding["rounding"] == "truncate"
                plane[cell] = int(share) if truncates else round(share)
            planes.append(plane)
    return np.stack(planes, axis=-1)


def is_between(value, low, high, closed):
    above = value >= low if closed in ("lower", "both") else value > low
    below = value <= high if closed in ("upper", "both") else value < high
    return above and below


def statistic_of(points, statistic, real):
    heights, intensities = zip(*points, strict=True)
    if statistic in ("count", "occupancy"):
        return real(len(points))
    if statistic == "records":
        return real(
            sum(h > max(heights[:i], default=-inf) for i, h in enumerate(heights))
        )
    if statistic.startswith("mean"):
        total = real(0)
        for value in heights if statistic == "mean_height" else intensities:
            total += value
        return total / real(len(points))
    return {
        "top_height": max(heights),
        "lowest_height": min(heights),
        "top_intensity": intensities[heights.index(max(heights))],
        "greatest_intensity": max(intensities),
    }[statistic]


def scale(value, channel, part, edges, values, encoding, real):
    if channel["statistic"] == "occupancy":
        return 255
    if "log" in channel:
        return 255 * min(1, log(value + 1) / log(channel["log"]))
    if channel["range"] == "scan":
        low, high = (float(end(values.values())) for end in (min, max))
        if len(values) < ROWS * COLS:
            low, high = min(low, 0), max(high, 0)
        return (
            float(np.interp(float(value), [low, high], [0, 255])) if low < high else 255
        )
    if channel["range"] == "slice":
        ground, parts = encoding["ground"], encoding["slices"]
        low, high = edges[part : part + 2]
        span = (edges[-1] - edges[0]) / parts if isinstance(parts, int) else high - low
        low = low - ground if encoding["height"] == "z" else -(low - ground + span)
    else:
        low, span = channel["range"][0], channel["range"][1] - channel["range"][0]
    return 255 * float((value - real(low)) / real(span))


closed = st.sampled_from(["lower", "upper", "both", "neither"])


@st.composite
def channels(draw, number):
    """Draw a channel whose statistic and scale fit each other."""
    statistic = draw(
        st.sampled_from(
            [
                *("count", "records", "occupancy", "top_height", "lowest_height"),
                *("mean_height", "top_intensity", "mean_intensity"),
                "greatest_intensity",
            ]
        )
    )
    channel = {"name": f"channel{number}", "statistic": statistic}
    if wanted := draw(st.sampled_from([None, "each", 0])):
        channel["slice"] = wanted
    if statistic == "occupancy":
        return channel
    scales = [("range", [0, 16]), ("range", "scan"), ("range", [-1.5, 1])]
    if statistic in ("count", "records"):
        scales += [("log", 16), ("log", 3)]
    if statistic.endswith("height") and "slice" in channel:
        scales += [("range", "slice")]
    key, value = draw(st.sampled_from(scales))
    return channel | {key: value}


@st.composite
def encodings(draw):
    """Draw the settings of an encoding of 4 x 3 cells, of 0.1 m and 0.25 m."""
    return {
        "description": "Any.",
        "region": {
            "x": {"min": -0.1, "max": 0.3, "closed": draw(closed)},
            "y": {"min": 2, "max": 2.75, "closed": draw(closed)},
            "z": {"min": -1.1, "max": 0.7, "closed": draw(closed)},
        },
        "grid": {
            "cell": {"x": 0.1, "y": 0.25},
            "rows": draw(st.sampled_from(["x", "-x"])),
            "cols": draw(st.sampled_from(["y", "-y"])),
        },
        "height": draw(st.sampled_from(["z", "-z"])),
        "ground": draw(st.sampled_from([0, -1.73, 0.3])),
        "slices": draw(
            st.sampled_from([1, 3, 18, [-1.1, 0.7], [-1, 0, 0.1], [-0.5, 0.7]])
        ),
        "channels": [draw(channels(n)) for n in range(draw(st.integers(1, 4)))],
        "arithmetic": draw(st.sampled_from(["float32", "float64"])),
        "precision": draw(st.sampled_from(["float32", "float64"])),
        "rounding": draw(st.sampled_from(["half_even", "truncate"])),
    }


def near(*edges):
    """Return numbers on edges, 1 mm and one float32 beside them, and between them."""
    exact = np.array(edges, dtype=np.float32)
    beside = [np.nextafter(exact, np.float32(end)) for end in (-9, 9)]
    steps = np.add.outer(edges, [-0.001, 0, 0.001, 0.03, 0.031, 0.07]).round(3)
    return np.concatenate([exact, *beside, steps.ravel().astype(np.float32)])


CHOICES = [
    near(-0.1, 0, 0.1, 0.2, 0.3),
    near(2, 2.25, 2.5, 2.75),
    near(-1.1, -1, -0.5, 0, 0.1, 0.7),
    np.array([0, 0.1, 0.5, 0.99, 1, 7, -1, np.nan], dtype=np.float32),
]


def make_points(seed, count):
    """Choose points near all edges, a quarter of them at the place of another one."""
    rng = np.random.default_rng(seed)
    points = np.stack([rng.choice(values, count) for values in CHOICES], axis=1)
    twins = rng.integers(count, size=(2, count // 4))
    points[twins[0], :3] = points[twins[1], :3]
    return points


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("encodings") / "any.yaml"


@settings(max_examples=300, deadline=None)
@given(encoding=encodings(), seed=st.integers(0, 99), count=st.integers(1, 200))
def test_any_encoding_equals_the_loop(path, encoding, seed, count):
    """Every statistic, slice, scale, rounding, end, direction and arithmetic."""
    path.write_text(yaml.safe_dump(encoding))
    points = make_points(seed, count)
    planes, _ = Raster(load_encoding(path)).draw(points)
    np.testing.assert_array_equal(planes, draw_plainly(points, encoding))
