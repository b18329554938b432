"""Legends: what the pixels of an encoding's images mean, for other programs."""

import json

from birdview.provenance import SOFTWARE
from birdview.render import write

UNITS = {"count": "points", "records": "points", "occupancy": "points"}


def describe_grid(encoding):
    """Say where the pixels of an encoding's images are, and what their values mean.

    Returns
    -------
    dict
        Of what JSON has. ``(row, col) = to_pixel @ (x, y, 1)`` are places between whole
        numbers: pixel (i, j) reaches from (i, j) to (i + 1, j + 1). ``(x, y) =
        to_metres @ (row, col, 1)`` is its inverse. The values of a channel from `zero`
        to `full` are the pixels from 0 to 255; None where each scan has its own.
    """
    rows, cols, planes = encoding.shape
    grid = encoding.grid
    cells = {"xy"[axis.column]: axis.cell for axis in grid}
    return {
        "encoding": encoding.name,
        "digest": encoding.digest,
        "software": SOFTWARE,
        "planes": planes,
        "rows": rows,
        "cols": cols,
        "frame": "x forward, y left, z up, in metres",
        "area": {axis: _extent(getattr(encoding, axis)) for axis in "xyz"},
        "cell": dict(sorted(cells.items())),
        "to_pixel": grid.affine.tolist(),
        "to_metres": grid.affine_inverse.tolist(),
        "height": f"{'-' if encoding.up < 0 else ''}(z - {encoding.ground:g})",
        "channels": [_channel(channel, encoding) for channel in encoding.channels],
    }


def explain_pixels(encoding):
    """Say in words what each plane's values from 0 to 255 mean, and the pixels' size.

    Returns
    -------
    str
        In reStructuredText: a list with a line for each plane.
    """
    grid = describe_grid(encoding)
    size = " x ".join(f"{metres:.4g} m" for metres in grid["cell"].values())
    lines = [f"A pixel of the image is a cell of {size}. Its planes are"]
    for channel in grid["channels"]:
        words = f"- ``{channel['name']}``: {channel['statistic'].replace('_', ' ')}"
        if channel["z"]:
            words += " of z from {:.4g} to {:.4g} m".format(*channel["z"])
        if channel["statistic"] == "occupancy":
            words += ": 255 where there is a point"
        elif channel["zero"] is None:
            words += ": 0 to 255 from the least to the greatest of the scan"
        else:
            words += ": 0 to 255 for {zero:.4g} to {full:.4g} {unit}".format(**channel)
            words = words.removesuffix(" 1")  # no unit
            words += ", logarithmic" if channel["scale"] == "log" else ""
        lines.append(words)
    return "\n".join([lines[0], "", *lines[1:]])


def write_grid(encoding, path):
    """Write what `describe_grid` says as a file of JSON."""
    text = json.dumps(describe_grid(encoding), indent=2, allow_nan=False)
    write(path, f"{text}\n".encode())


def _extent(interval):
    low, high = (
        None if abs(end) == float("inf") else end
        for end in (interval.min, interval.max)
    )
    return {
        "min": low,
        "max": high,
        "closed": {
            (True, True): "both",
            (True, False): "lower",
            (False, True): "upper",
            (False, False): "neither",
        }[interval.has_min, interval.has_max],
    }


def _channel(channel, encoding):
    part = channel.slice
    if part is not None:
        low = encoding.slices.lows[part]
        part = [low, low + encoding.slices.spans[part]]
    zero, full = channel.limits or (None, None)
    is_height = channel.statistic.endswith("_height")
    return {
        "name": channel.name,
        "statistic": channel.statistic,
        "z": part,
        "unit": UNITS.get(channel.statistic, "m" if is_height else "1"),
        "scale": channel.scale,
        "zero": zero,
        "full": full,
    }
