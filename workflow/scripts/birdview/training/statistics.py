"""Compute mean, deviation and histogram of each plane, over the images of a split."""

import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import sqrt
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from birdview.files import PathLike, write_atomically
from birdview.image import ImageFile, Inflate, inflate_with_zlib
from birdview.pixels.classes import NO_CLASS, Classes
from birdview.pixels.encoding import Encoding
from birdview.reproduce.manifest import examine_image
from birdview.training.masks import shows_classes


class Shades(NamedTuple):
    """What pixels of some images of an encoding are not background.

    Attributes
    ----------
    images : int
    occupied : int
        Pixels of which a plane is not background.
    counts : ndarray of int64, shape (planes, 256)
        How often each plane has each value, apart from that of the background.
    """

    images: int
    occupied: int
    counts: NDArray[np.int64]


def count_shades(
    content: bytes,
    path: PathLike,
    encoding: Encoding,
    inflate: Inflate = inflate_with_zlib,
) -> Shades:
    """Count the values in the bytes of an image.

    Raises
    ------
    ValueError
        If the bytes are not a whole PNG of birdview's in this encoding; the message
        names the file.
    """
    _, _, pixels = examine_image(content, path, encoding, inflate)
    rows, cols, planes = encoding.shape
    lines = pixels.reshape(len(pixels), -1)
    shape = (rows, cols * 3) if planes == 3 else (rows * planes, cols)
    if lines.shape != shape:
        raise ValueError(
            f"{path}: {lines.shape[0]} lines of {lines.shape[1]} bytes, expected "
            f"{shape[0]} of {shape[1]} in {encoding.name}"
        )
    words = lines[:, : shape[1] // 8 * 8].view(np.uint64)
    background = np.uint8(encoding.background)
    counts = np.zeros((planes, 256), dtype=np.int64)
    if planes == 3:
        occupied = _count_rgb(lines, words, background, counts)
    else:
        seen = np.zeros((rows, cols), dtype=np.bool_)
        occupied = _count_grey(lines, words, background, seen, counts)
    return Shades(1, occupied, counts)


# Nearly all of an image is background, which these skip by words of eight bytes. The
# last columns, which fill no word, are looked at one by one.


@njit(nogil=True, cache=True)
def _count_rgb(lines, words, background, counts):
    """Add the values of three planes to the counts; return the occupied pixels."""
    skipped = np.uint64(background) * np.uint64(0x0101010101010101)
    cols, occupied = lines.shape[1] // 3, 0
    for row in range(len(lines)):
        line, of_line = lines[row], words[row]
        for k in range(cols // 8 + 1):
            is_skipped = (
                k < cols // 8
                and of_line[3 * k] == skipped
                and of_line[3 * k + 1] == skipped
                and of_line[3 * k + 2] == skipped
            )
            if is_skipped:
                continue
            for col in range(8 * k, min(8 * k + 8, cols)):
                red, green, blue = line[3 * col], line[3 * col + 1], line[3 * col + 2]
                if red != background or green != background or blue != background:
                    counts[0, red] += 1
                    counts[1, green] += 1
                    counts[2, blue] += 1
                    occupied += 1
    return occupied


@njit(nogil=True, cache=True)
def _count_grey(lines, words, background, seen, counts):
    """Do the same for planes below each other; `seen` are the occupied pixels."""
    skipped = np.uint64(background) * np.uint64(0x0101010101010101)
    (rows, cols), occupied = seen.shape, 0
    for number in range(len(lines)):
        plane, row = divmod(number, rows)
        line, of_line = lines[number], words[number]
        for k in range(cols // 8 + 1):
            if k < cols // 8 and of_line[k] == skipped:
                continue
            for col in range(8 * k, min(8 * k + 8, cols)):
                if line[col] != background:
                    counts[plane, line[col]] += 1
                    occupied += not seen[row, col]
                    seen[row, col] = True
    return occupied


def compute_statistics(
    images: Sequence[ImageFile],
    splits: Mapping[str, Iterable[str]],
    threads: int,
    inflate: Inflate = inflate_with_zlib,
    classes: Classes | None = None,
) -> dict[str, Any]:
    """Compute the statistics of the planes of images in one encoding.

    All follow from sums of integers, and so do not depend on the order of the images
    or on the number of threads.

    Parameters
    ----------
    images : sequence of ImageFile
        At least one.
    splits : mapping of str to iterable of str
        The scans of each split.
    threads : int
    inflate : function
    classes : Classes, optional
        Those that planes show, if any do.

    Returns
    -------
    dict
        Ready for JSON; docs/training.md describes it.

    Raises
    ------
    OSError
        If a file is missing or cannot be read.
    ValueError
        As `count_shades`, for the first image that fails.
    """
    encoding = images[0].encoding
    everything = "", *splits  # the first is of all scans
    split_of = {scan: name for name, scans in splits.items() for scan in scans}
    *_, planes = encoding.shape
    sums = {
        name: Shades(0, 0, np.zeros((planes, 256), dtype=np.int64))
        for name in everything
    }

    def count(image: ImageFile) -> Shades:
        content = Path(image.path).read_bytes()
        return count_shades(content, image.path, encoding, inflate)

    with ThreadPoolExecutor(threads) as pool:
        for image, shades in zip(images, pool.map(count, images), strict=True):
            for name in {"", split_of.get(image.scan, "")}:
                sums[name] = _add(sums[name], shades)
    described = {name: _describe(sums[name], encoding, classes) for name in everything}
    return {
        "encoding": encoding.name,
        "encoding_sha256": encoding.digest,
        "channels": [channel.name for channel in encoding.channels],
        "background": encoding.background,
        "all": described.pop(""),
        "splits": described,
    }


def _add(one: Shades, other: Shades) -> Shades:
    return Shades(
        one.images + other.images,
        one.occupied + other.occupied,
        one.counts + other.counts,
    )


def _describe(
    shades: Shades, encoding: Encoding, classes: Classes | None
) -> dict[str, Any]:
    rows, cols, _ = encoding.shape
    counts = {
        channel.name: dict(zip(classes.names, own.tolist(), strict=False))
        for channel, own in zip(encoding.channels, shades.counts, strict=True)
        if classes and encoding.background == NO_CLASS and shows_classes(channel)
    }
    return {
        "scans": shades.images,
        **{
            name: _describe_pixels(count, shades.counts, encoding.background)
            for name, count in (
                ("pixels", shades.images * rows * cols),
                ("occupied", shades.occupied),
            )
        },
        **({"classes": counts} if counts else {}),
    }


def _describe_pixels(
    count: int, counts: NDArray[np.int64], background: int
) -> dict[str, Any]:
    """Describe a number of pixels, of which some have the values that were counted."""
    histogram = counts.copy()
    histogram[:, background] = 0
    histogram[:, background] = count - histogram.sum(axis=1)
    values = np.arange(256)
    sums = (histogram @ values).tolist()
    squares = (histogram @ values**2).tolist()
    # Of integers of any size, so that each result is rounded where all others are.
    means = [total / count if count else None for total in sums]
    deviations = [
        sqrt(count * square - total * total) / count if count else None
        for total, square in zip(sums, squares, strict=True)
    ]
    return {
        "count": count,
        "mean": [mean if mean is None else mean / 255 for mean in means],
        "std": [one if one is None else one / 255 for one in deviations],
        "mean_255": means,
        "std_255": deviations,
        "histogram": histogram.tolist(),
    }


def write_statistics(path: PathLike, statistics: Mapping[str, Any]) -> None:
    """Write the result of `compute_statistics` as a JSON file."""
    write_atomically(path, f"{_format(statistics)}\n".encode())


def _format(value: Any, indent: str = "") -> str:
    """Return a value as JSON, with each list of numbers on a line of its own."""
    inner = f"{indent}  "
    if isinstance(value, Mapping):
        items = [f"{json.dumps(key)}: {_format(value[key], inner)}" for key in value]
        brackets = "{}"
    elif isinstance(value, list) and value and isinstance(value[0], list):
        items = [_format(item, inner) for item in value]
        brackets = "[]"
    else:
        return json.dumps(value, allow_nan=False)
    text = f",\n{inner}".join(items)
    return f"{brackets[0]}\n{inner}{text}\n{indent}{brackets[1]}"


def summarise(statistics: Mapping[str, Any]) -> list[str]:
    """Return a line for all scans and for each split, and for scans in no split."""
    everything, splits = statistics["all"], statistics["splits"]
    total = everything["scans"]
    lines = []
    for name, split in {"all": everything, **splits}.items():
        line = f"{name}: {split['scans']:,} of {total:,} scans"
        if split["scans"]:
            share = split["occupied"]["count"] / split["pixels"]["count"]
            line += f", {100 * share:.3g} % of the pixels occupied"
        lines.append(line)
    if left_out := total - sum(split["scans"] for split in splits.values()):
        lines.append(f"in no split: {left_out:,} of {total:,} scans")
    return lines
