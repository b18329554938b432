"""Describe what the pixels of an encoding's images mean, for other programs."""

import json
from typing import Any

from birdview.files import PathLike, write_atomically
from birdview.pixels.channel import Channel
from birdview.pixels.encoding import Encoding
from birdview.pixels.grid import Interval
from birdview.pixels.layout import Layout
from birdview.provenance import SOFTWARE


def describe_grid(encoding: Encoding) -> dict[str, Any]:
    """Return where the pixels of an encoding's images are, and what their values mean.

    Returns
    -------
    dict
        Ready for JSON. ``(row, col) = to_pixel @ (x, y, 1)`` are positions, not whole
        numbers: pixel (i, j) reaches from (i, j) to (i + 1, j + 1). ``(x, y) =
        to_metres @ (row, col, 1)`` is its inverse. A channel's values from `zero` to
        `full` become pixels from 0 to 255; both are None if each scan has its own. `of`
        and `values` are None if its statistic is not of a field.
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
        "background": encoding.background,
        "channels": [_channel(channel, encoding) for channel in encoding.channels],
    }


def explain_pixels(encoding: Encoding) -> str:
    """Explain the planes of an encoding's images, as a list in reStructuredText."""
    grid = describe_grid(encoding)
    size = " x ".join(f"{metres:.4g} m" for metres in grid["cell"].values())
    lines = [f"A pixel of the image is a cell of {size}. Its planes are"]
    for channel in grid["channels"]:
        words = f"- ``{channel['name']}``: {channel['statistic'].replace('_', ' ')}"
        if channel["of"]:
            words += f" of ``{channel['of']}``"
        if channel["values"]:
            words += f" {', '.join(f'{value:g}' for value in channel['values'])}"
        if channel["z"]:
            words += " of z from {:.4g} to {:.4g} m".format(*channel["z"])
        if channel["statistic"] == "occupancy":
            words += ": 255 where there is a point"
        elif channel["zero"] is None:
            words += ": 0 to 255 from the least to the greatest of the scan"
        else:
            words += ": 0 to 255 for {zero:.4g} to {full:.4g} {unit}".format(**channel)
            words = words.removesuffix(" 1").rstrip()  # no unit
            words += ", logarithmic" if channel["scale"] == "log" else ""
        lines.append(words)
    return "\n".join([lines[0], "", *lines[1:]])


def describe_layout(layout: Layout) -> dict[str, Any]:
    """Return where the points of an image were in the file of the scan.

    Returns
    -------
    dict
        Ready for JSON. ``(x, y, z) = from_scan @ (x, y, z, 1)`` leads from the axes
        that the layout names to those of the image.
    """
    return {
        "layout": layout.name,
        "layout_digest": layout.digest,
        "from_scan": layout.frame.matrix,
    }


def write_grid(encoding: Encoding, layout: Layout, path: PathLike) -> None:
    """Write `describe_grid` and `describe_layout` as a JSON file."""
    description = describe_grid(encoding) | describe_layout(layout)
    text = json.dumps(description, indent=2, allow_nan=False)
    write_atomically(path, f"{text}\n".encode())


def _extent(interval: Interval) -> dict[str, Any]:
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


def _channel(channel: Channel, encoding: Encoding) -> dict[str, Any]:
    z = None
    if channel.slice_index is not None and encoding.slices is not None:
        low = encoding.slices.lows[channel.slice_index]
        z = [low, low + encoding.slices.spans[channel.slice_index]]
    zero, full = channel.limits or (None, None)
    return {
        "name": channel.name,
        "statistic": channel.statistic,
        "of": channel.of,
        "values": [*channel.values] or None,
        "z": z,
        "unit": channel.unit,
        "scale": channel.scale,
        "zero": zero,
        "full": full,
    }
