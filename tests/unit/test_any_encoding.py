"""Compare any encoding that can be written with one plain loop."""

from itertools import groupby
from math import ceil, floor, inf, isfinite, isnan, log

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from birdview.pixels.encoding import load_encoding
from birdview.pixels.raster import Raster
from birdview.pixels.statistic import STATISTICS

ROWS, COLS = 4, 3


def draw_plainly(points, fields, encoding):
    """Return the planes of 4 x 3 cells, drawn as the settings of an encoding say."""
    real = np.dtype(encoding["arithmetic"]).type
    region, cells = encoding["region"], encoding["grid"]["cell"]
    up, ground = (1 if encoding["height"] == "z" else -1), real(encoding["ground"])
    slices = encoding["slices"]
    z_min, z_max = region["z"]["min"], region["z"]["max"]
    if isinstance(slices, int):
        step = (z_max - z_min) / slices
        edges = [z_min + k * step for k in range(slices)] + [z_max]
    else:
        edges = slices
    inside = {}  # (k, row, col) -> heights, intensities and fields; k None is all
    for number, (x, y, z, r) in enumerate(points):
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
            if isinstance(slices, int):
                k = max(0, floor((real(z) - real(z_min)) / real(step)))
            else:
                k = sum(real(z) >= real(edge) for edge in edges) - 1
            if k >= len(edges) - 1:
                if is_top:
                    k = len(edges) - 2
                elif edges[-1] == z_max:
                    continue
            row, col = index
            if encoding["grid"]["rows"] == "-x":
                row = ROWS - 1 - row
            if encoding["grid"]["cols"] == "-y":
                col = COLS - 1 - col
            others = {name: column[number] for name, column in fields.items()}
            others |= {"x": x, "y": y, "z": z, "intensity": r}
            point = up * (real(z) - ground), real(r), others
            inside.setdefault((None, row, col), []).append(point)
            if 0 <= k < len(edges) - 1:
                inside.setdefault((k, row, col), []).append(point)
    planes = []
    for channel in encoding["channels"]:
        wanted = channel.get("slice")
        numbers = range(len(edges) - 1) if wanted == "each" else [wanted]
        for k in numbers:
            values = {
                (row, col): statistic_of(in_cell, channel, real)
                for (of, row, col), in_cell in inside.items()
                if of == k
            }
            values = {cell: value for cell, value in values.items() if not isnan(value)}
            plane = np.full((ROWS, COLS), encoding["background"], dtype=np.uint8)
            for cell, value in values.items():
                share = scale(value, channel, k, edges, values, encoding, real)
                if encoding["precision"] == "float32":
                    with np.errstate(over="ignore"):
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


def statistic_of(points, channel, real):
    heights, intensities, others = zip(*points, strict=True)
    statistic = channel["statistic"]
    if "of" in channel:
        of = [
            (height, fields[channel["of"]])
            for height, fields in zip(heights, others, strict=True)
            if not isnan(fields[channel["of"]])
        ]
        wanted = [np.float32(value) for value in channel.get("values", [])]
        return field_statistic_of(of, statistic, wanted, real)
    if statistic in ("count", "occupancy"):
        return real(len(points))
    if statistic == "record_highs":
        return real(
            sum(h > max(heights[:i], default=-inf) for i, h in enumerate(heights))
        )
    if statistic.startswith("mean"):
        total = real(0)
        for value in heights if statistic == "mean_height" else intensities:
            total += value
        return total / real(len(points))
    return {
        "max_height": max(heights),
        "min_height": min(heights),
        "height_range": max(heights) - min(heights),
        "intensity_at_max": intensities[heights.index(max(heights))],
        "max_intensity": max(intensities),
    }[statistic]


def field_statistic_of(points, statistic, wanted, real):
    """Return a statistic of the heights and values of points; NaN if there is none."""
    values = [value for _, value in points]
    if statistic == "count":
        return real(sum(value in wanted for value in values))
    if not points:
        return real(np.nan)
    if statistic == "mean":
        total = real(0)
        with np.errstate(all="ignore"):
            for value in values:
                total += real(value)
            return total / real(len(values))
    if statistic == "at_max":
        heights = [height for height, _ in points]
        return real(values[heights.index(max(heights))])
    for value in wanted:
        if value in values:
            return real(value)
    most = {value: len(list(same)) for value, same in groupby(sorted(values))}
    return real(
        {
            "max": max(values),
            "min": min(values),
            "majority": min(v for v in most if most[v] == max(most.values())),
            "priority": min(v for v in most if most[v] == max(most.values())),
        }[statistic]
    )


def scale(value, channel, k, edges, values, encoding, real):
    if channel["statistic"] == "occupancy":
        return 255
    if "log" in channel:
        return 255 * min(1, log(value + 1) / log(channel["log"]))
    if channel["range"] == "scan":
        finite = [float(value) for value in values.values() if isfinite(value)]
        if not isfinite(value):
            return 255 if value > 0 else 0
        low, high = min(finite), max(finite)
        if len(values) < ROWS * COLS:
            low, high = min(low, 0), max(high, 0)
        return (
            float(np.interp(float(value), [low, high], [0, 255])) if low < high else 255
        )
    if channel["range"] == "slice":
        ground, slices = encoding["ground"], encoding["slices"]
        low, high = edges[k : k + 2]
        span = (
            (edges[-1] - edges[0]) / slices if isinstance(slices, int) else high - low
        )
        low = low - ground if encoding["height"] == "z" else -(low - ground + span)
    else:
        low, span = channel["range"][0], channel["range"][1] - channel["range"][0]
    return 255 * float((value - real(low)) / real(span))


def scales_of(statistic, in_slice):
    """Return settings for each kind of scale that a channel may have."""
    allowed = STATISTICS[statistic].scales
    if not allowed:
        return [{}]
    scales = [{"range": [0, 16]}, {"range": "scan"}, {"range": [-1.5, 1]}]
    if "log" in allowed:
        scales += [{"log": 16}, {"log": 3}]
    if "slice" in allowed and in_slice:
        scales += [{"range": "slice"}]
    return scales


def fields_of(statistic):
    """Return settings for each kind of field that a channel may have."""
    entry = STATISTICS[statistic]
    if not entry.field:
        return [{}]
    values = {"values": [44, 0.1, 1]} if entry.takes_values else {}
    fields = [{"of": name, **values} for name in ("z", "intensity", *FIELDS)]
    return fields if entry.field == "required" else [{}, *fields]


closed = st.sampled_from(["lower", "upper", "both", "neither"])


@st.composite
def channels(draw, number):
    """Draw a channel whose statistic and scale fit together."""
    statistic = draw(st.sampled_from(list(STATISTICS)))
    channel = {"name": f"channel{number}", "statistic": statistic}
    field = STATISTICS[statistic].field
    if field == "required" or (field and draw(st.booleans())):
        channel["of"] = draw(st.sampled_from([*"xyz", "intensity", *FIELDS]))
        if STATISTICS[statistic].takes_values:
            channel["values"] = draw(
                st.lists(
                    st.sampled_from([0, 0.1, 1, 7, 44, -1]), min_size=1, unique=True
                )
            )
    if wanted := draw(st.sampled_from([None, "each", 0])):
        channel["slice"] = wanted
    return channel | draw(st.sampled_from(scales_of(statistic, "slice" in channel)))


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
        "background": draw(st.sampled_from([0, 1, 255])),
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


FIELDS = {
    "velocity": [0, 0.1, 0.3, -7.5, 20, 3e38, np.inf, -np.inf, np.nan],
    "class": [0, 1, 1, 7, 44, np.nan],
    "empty": [np.nan],
}
"""Values of further fields."""


def make_points(seed, count):
    """Choose points near all edges, a quarter of them at the position of another."""
    rng = np.random.default_rng(seed)
    points = np.stack([rng.choice(values, count) for values in CHOICES], axis=1)
    twins = rng.integers(count, size=(2, count // 4))
    points[twins[0], :3] = points[twins[1], :3]
    fields = {
        name: rng.choice(np.array(values, dtype=np.float32), count)
        for name, values in FIELDS.items()
    }
    return points, fields


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("encodings") / "any.yaml"


@settings(max_examples=300, deadline=None)
@given(encoding=encodings(), seed=st.integers(0, 99), count=st.integers(1, 200))
def test_any_encoding_equals_the_loop(path, encoding, seed, count):
    """Every statistic, slice, scale, rounding, end, direction and arithmetic."""
    path.write_text(yaml.safe_dump(encoding))
    points, fields = make_points(seed, count)
    planes, _ = Raster(load_encoding(path)).draw(points, fields)
    np.testing.assert_array_equal(planes, draw_plainly(points, fields, encoding))


@pytest.mark.parametrize("arithmetic", ["float32", "float64"])
@pytest.mark.parametrize("statistic", STATISTICS)
def test_every_statistic_equals_the_loop_with_every_scale(path, statistic, arithmetic):
    """Of whole cells and of slices, with no points, few, and some in every cell."""
    channels = [
        {"statistic": statistic, **of, **wanted, **scale}
        for of in fields_of(statistic)
        for wanted in ({}, {"slice": "each"})
        for scale in scales_of(statistic, bool(wanted))
    ]
    encoding = {
        "description": "All scales of a statistic.",
        "region": {
            "x": {"min": -0.1, "max": 0.3, "closed": "lower"},
            "y": {"min": 2, "max": 2.75, "closed": "lower"},
            "z": {"min": -1.1, "max": 0.7, "closed": "both"},
        },
        "grid": {"cell": {"x": 0.1, "y": 0.25}, "rows": "x", "cols": "y"},
        "height": "z",
        "ground": -1.73,
        "slices": 3,
        "channels": [c | {"name": f"n{i}"} for i, c in enumerate(channels)],
        "arithmetic": arithmetic,
        "precision": "float64",
        "rounding": "half_even",
        "background": 0,
    }
    path.write_text(yaml.safe_dump(encoding))
    raster = Raster(load_encoding(path))
    for count in (0, 1, 10, 400):
        points, fields = make_points(count, count)
        planes, counts = raster.draw(points, fields)
        np.testing.assert_array_equal(planes, draw_plainly(points, fields, encoding))
    assert counts.cells == ROWS * COLS
