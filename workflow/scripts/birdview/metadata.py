"""Describe what the pixels of an encoding's images mean, for other programs."""

import json
from typing import Any

from birdview.files import PathLike, write_atomically
from birdview.pixels.channel import Channel
from birdview.pixels.classes import Classes
from birdview.pixels.encoding import Encoding
from birdview.pixels.grid import Interval
from birdview.pixels.layout import Layout
from birdview.pixels.recipe import CLASS
from birdview.provenance import SOFTWARE


def is_class_map(channel: Channel) -> bool:
    """Whether the values of a plane are the numbers of classes."""
    return (
        channel.of == CLASS
        and channel.statistic in ("majority", "at_max", "priority")
        and channel.limits == (0, 255)
    )


def find_class_maps(encoding: Encoding) -> list[int]:
    """Return which planes of an encoding's images are class maps, from 0."""
    return [k for k, channel in enumerate(encoding.channels) if is_class_map(channel)]


def list_classes(encoding: Encoding, classes: Classes | None) -> list[dict[str, Any]]:
    """Return the classes of points, if an encoding shows anything of them.

    Returns
    -------
    list of dict
        Of each class its `number`, `name` and `colour`: red, green and blue.
    """
    if classes is None or CLASS not in encoding.fields:
        return []
    pairs = zip(classes.names, classes.colours, strict=True)
    return [
        {"number": number, "name": name, "colour": [*colour]}
        for number, (name, colour) in enumerate(pairs)
    ]


def describe_grid(encoding: Encoding, classes: Classes | None = None) -> dict[str, Any]:
    """Return where the pixels of an encoding's images are, and what their values mean.

    Parameters
    ----------
    encoding : Encoding
    classes : Classes, optional
        The classes of points.

    Returns
    -------
    dict
        Ready for JSON. ``(row, col) = to_pixel @ (x, y, 1)`` are positions, not whole
        numbers: pixel (i, j) reaches from (i, j) to (i + 1, j + 1). ``(x, y) =
        to_metres @ (row, col, 1)`` is its inverse. A channel's values from `zero` to
        `full` become pixels from 0 to 255; both are None if each scan has its own. `of`
        and `values` are None if its statistic is not of a field. If `is_class_map`, its
        values are numbers of `classes`, or `none`; both are None if no channel needs
        them, and if it is not known what the classes are.
    """
    rows, cols, planes = encoding.shape
    grid = encoding.grid
    listed = list_classes(encoding, classes)
    maps = find_class_maps(encoding) if listed else []
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
        "classes": listed or None,
        "none": encoding.background if maps else None,
        "channels": [
            _channel(channel, encoding) | {"is_class_map": k in maps}
            for k, channel in enumerate(encoding.channels)
        ],
    }


def explain_pixels(encoding: Encoding, classes: Classes | None = None) -> str:
    """Explain the planes of an encoding's images, as a list in reStructuredText."""
    grid = describe_grid(encoding, classes)
    names = {one["number"]: f" ({one['name']})" for one in grid["classes"] or ()}
    size = " x ".join(f"{metres:.4g} m" for metres in grid["cell"].values())
    lines = [f"A pixel of the image is a cell of {size}. Its planes are"]
    for channel in grid["channels"]:
        words = f"- ``{channel['name']}``: {channel['statistic'].replace('_', ' ')}"
        if channel["of"]:
            words += f" of ``{channel['of']}``"
        if channel["values"]:
            known = names if channel["of"] == CLASS else {}
            values = (f"{one:g}{known.get(one, '')}" for one in channel["values"])
            words += f" {', '.join(values)}"
        if channel["z"]:
            words += " of z from {:.4g} to {:.4g} m".format(*channel["z"])
        if channel["statistic"] == "occupancy":
            words += ": 255 where there is a point"
        elif channel["is_class_map"]:
            words += f": class 0 to {len(names) - 1}; {grid['none']} is none"
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


def write_grid(
    encoding: Encoding, layout: Layout, path: PathLike, classes: Classes | None = None
) -> None:
    """Write `describe_grid` and `describe_layout` as a JSON file."""
    description = describe_grid(encoding, classes) | describe_layout(layout)
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
