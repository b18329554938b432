"""Manifests: which image was made of which scan, by digests, to compare with others'.

A manifest is a table with tabs. Lines that start with # come first: what all images
have in common. Then there is a line for each image, sorted by encoding and scan.
"""

import hashlib
import platform
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np

from birdview.image import decode_image
from birdview.provenance import SOFTWARE, digest_code, digest_lock
from birdview.raster import Counts
from birdview.render import write


class Row(NamedTuple):
    """An image, by what it was made of and what it is.

    Attributes
    ----------
    encoding, scan : str
        The names.
    scan_sha256 : str
        Of the bytes of the scan's file.
    pixels_sha256 : str
        Of the pixels in the order of the file: rows of columns of red, green and blue,
        or of grey.
    file_sha256 : str
        Of the bytes of the image's file.
    read, nonfinite, outside, drawn, cells : int
        As `birdview.raster.Counts`.
    """

    encoding: str
    scan: str
    scan_sha256: str
    pixels_sha256: str
    file_sha256: str
    read: int
    nonfinite: int
    outside: int
    drawn: int
    cells: int


def describe_image(image, encoding, scan):
    """Describe the file of an image.

    What it was made of is taken from its own text. That is not simply believed: the
    text must have been written for these pixels and by this encoding.

    Parameters
    ----------
    image : path-like
    encoding : Encoding
        That it should be of.
    scan : str
        The name of the scan.

    Returns
    -------
    Row

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    ValueError
        If the file is no whole PNG of this package, or if its pixels, its text and the
        encoding do not fit each other.
    """
    content = Path(image).read_bytes()
    scan_sha256, counts, pixels = examine_image(content, image, encoding)
    return Row(
        encoding.name,
        scan,
        scan_sha256,
        hashlib.sha256(np.ascontiguousarray(pixels)).hexdigest(),
        hashlib.sha256(content).hexdigest(),
        *counts,
    )


def examine_image(content, image, encoding):
    """Decode the bytes of an image, and see that pixels, text and encoding fit.

    Returns
    -------
    scan_sha256 : str
    counts : Counts
    pixels : ndarray of uint8
        As `birdview.image.decode_image` returns them.

    Raises
    ------
    ValueError
        If they do not, or if the bytes are no whole PNG; the message names the image.
    """
    text, pixels = decode_image(content, image)
    said = {key.removeprefix("birdview:"): value for key, value in text.items()}
    try:
        counts = Counts(*(int(said[key]) for key in Counts._fields))
        digest, scan_sha256 = said["encoding_sha256"], said["scan_sha256"]
    except KeyError as error:
        raise ValueError(
            f"{image}: no {error.args[0]} in its text, expected birdview's PNG"
        ) from None
    if digest != encoding.digest:
        raise ValueError(
            f"{image}: encoding {digest[:12]}, expected {encoding.digest[:12]} of "
            f"{encoding.name}"
        )
    return scan_sha256, counts, pixels


def describe_images(images, threads):
    """Describe the files of images, several at a time.

    Parameters
    ----------
    images : list of tuple
        The arguments of `describe_image`.
    threads : int

    Returns
    -------
    list of Row
        Sorted.

    Raises
    ------
    OSError, ValueError
        As `describe_image`, of the first image for which it does.
    """
    with ThreadPoolExecutor(threads) as pool:
        return sorted(pool.map(lambda image: describe_image(*image), images))


def describe_run(encodings, layout):
    """Say what all images of a run have in common, and where they were described.

    Returns
    -------
    dict of str to str
    """
    return {
        "software": SOFTWARE,
        "code": digest_code(),
        "lock": digest_lock(),
        "layout": layout.name,
        **{f"encoding {name}": encodings[name].digest for name in sorted(encodings)},
        "platform": f"{platform.platform()}, Python {platform.python_version()}",
    }


def format_manifest(run, rows):
    """Return the text of a manifest: what `describe_run` says, then the rows."""
    lines = [f"# {key}\t{value}" for key, value in run.items()]
    lines.append("\t".join(Row._fields))
    lines += ["\t".join(map(str, row)) for row in rows]
    return "".join(f"{line}\n" for line in lines)


def write_manifest(path, run, rows):
    """Write a manifest."""
    write(path, format_manifest(run, rows).encode())


def read_manifest(path):
    """Read a manifest.

    Returns
    -------
    run : dict of str to str
    rows : list of Row

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    ValueError
        If the file is no manifest; the message names the line.
    """
    run, rows, head = {}, [], "\t".join(Row._fields)
    try:
        lines = Path(path).read_text(encoding="utf-8").split("\n")
    except UnicodeDecodeError:
        raise ValueError(f"{path}: no text, expected a manifest") from None
    if head not in lines or lines.pop():
        raise ValueError(f"{path}: no line with the columns' names, or cut short")
    start = lines.index(head)
    for line in lines[:start]:
        key, _, run[key] = line.removeprefix("# ").partition("\t")
    for number, line in enumerate(lines[start + 1 :], start=start + 2):
        words = line.split("\t")
        try:
            rows.append(Row(*words[:5], *map(int, words[5:])))
        except (TypeError, ValueError):
            raise ValueError(
                f"{path}: line {number}: {line!r}, expected {len(Row._fields)} "
                f"columns, the last five of them numbers"
            ) from None
    return run, rows
