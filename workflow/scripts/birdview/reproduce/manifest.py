"""List which image was made from which scan, by digests.

A manifest is a tab-separated table. Lines that start with # come first: what all images
have in common. Then there is one line for each image, sorted by encoding and scan.
"""

import hashlib
import platform
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from birdview.counts import Counts, parse_counts
from birdview.files import PathLike, format_table, write_atomically
from birdview.image import ImageFile, Inflate, decode_image, inflate_with_zlib
from birdview.pixels.assembly import LABELS, SCAN
from birdview.pixels.encoding import Encoding
from birdview.pixels.layout import Layout
from birdview.pixels.recipe import CONDITIONS
from birdview.pixels.statistic import STATISTICS
from birdview.provenance import SOFTWARE, digest_code, digest_lock, digest_reader


class Row(NamedTuple):
    """An image: what it was made from, and its digests.

    Attributes
    ----------
    encoding, scan : str
        The names.
    scan_sha256 : str
        Of the bytes of the scan's file; of the digests of all files of points if there
        are several, as `birdview.pixels.assembly.combine_digests`.
    conditions_sha256 : str
        Of what else decides the image of this scan, such as poses and labels of points;
        empty if nothing does.
    pixels_sha256 : str
        Of the pixels in the order of the file: rows of columns of red, green and blue,
        or of grey.
    file_sha256 : str
        Of the bytes of the image's file.
    counts : Counts
        What happened to the points.
    """

    encoding: str
    scan: str
    scan_sha256: str
    conditions_sha256: str
    pixels_sha256: str
    file_sha256: str
    counts: Counts


_DIGESTS = Row._fields[:-1]
COLUMNS = *_DIGESTS, *Counts._fields
"""The columns of the table."""
_ADDED = "conditions_sha256"
"""The digest that manifests of birdview 0.1 lack: nothing else decided images."""


def describe_image(image: ImageFile, inflate: Inflate = inflate_with_zlib) -> Row:
    """Describe the file of an image.

    The text of the image says what it was made from. It is checked: it must have been
    written for these pixels and by this encoding.

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    ValueError
        If the file is not a whole PNG of birdview's, or if its pixels, its text and the
        encoding do not fit together.
    """
    content = Path(image.path).read_bytes()
    text, counts, pixels = examine_image(content, image.path, image.encoding, inflate)
    return Row(
        image.encoding.name,
        image.scan,
        text[SCAN],
        digest_conditions(text),
        hashlib.sha256(np.ascontiguousarray(pixels).data).hexdigest(),
        hashlib.sha256(content).hexdigest(),
        counts,
    )


def former_digest(encoding: Encoding) -> str:
    """Return the digest of an encoding as birdview 0.1 computed it.

    That had other names of statistics in it, for the same pixels.
    """
    channels = tuple(
        one._replace(statistic=STATISTICS[one.statistic].former_name or one.statistic)
        for one in encoding.channels
    )
    return encoding._replace(channels=channels).digest


def examine_image(
    content: bytes,
    path: PathLike,
    encoding: Encoding,
    inflate: Inflate = inflate_with_zlib,
) -> tuple[dict[str, str], Counts, NDArray[np.uint8]]:
    """Decode the bytes of an image, and check that pixels, text and encoding fit.

    Returns
    -------
    text : dict of str to str
        With the digests of what the image was made from.
    counts : Counts
    pixels : ndarray of uint8
        As `birdview.image.decode_image` returns them.

    Raises
    ------
    ValueError
        If they do not fit, or if the bytes are not a whole PNG; the message names the
        file.
    """
    text, pixels = decode_image(content, path, inflate)
    try:
        counts = parse_counts(text)
        digest, _ = text["birdview:encoding_sha256"], text[SCAN]
    except KeyError as error:
        missing = error.args[0].removeprefix("birdview:")
        raise ValueError(
            f"{path}: no {missing} in its text, expected birdview's PNG"
        ) from None
    if digest != encoding.digest:
        raise ValueError(
            f"{path}: encoding {digest[:12]}, expected {encoding.digest[:12]} of "
            f"{encoding.name}"
        )
    return text, counts, pixels


def digest_conditions(text: Mapping[str, str]) -> str:
    """Return the SHA-256 of what decides an image beside its points, by its text.

    Empty if nothing does.
    """
    digests = [text.get(keyword, "") for keyword in (*CONDITIONS, LABELS)]
    if not any(digests):
        return ""
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()


def describe_images(
    images: Sequence[ImageFile], threads: int, inflate: Inflate = inflate_with_zlib
) -> list[Row]:
    """Describe the files of images, several at a time; return sorted rows.

    Raises
    ------
    OSError, ValueError
        As `describe_image`, for the first image that fails.
    """
    with ThreadPoolExecutor(threads) as pool:
        return sorted(pool.map(lambda image: describe_image(image, inflate), images))


JOINED = "camera_view", "sweeps", "level", "sensors", "classes"
"""Entries of a manifest that say what the images of all scans are made of."""


def describe_run(
    encodings: Mapping[str, Encoding],
    layout: Layout,
    joined: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, str]:
    """Return what all images of a run have in common, and the platform.

    Parameters
    ----------
    encodings : mapping of str to Encoding
    layout : Layout
    joined : mapping of str to str
        What images are made of beside one file: some of `JOINED`.
    """
    return {
        "software": SOFTWARE,
        "code": digest_code(),
        **({} if layout.is_records else {"reader": digest_reader(layout.format)}),
        "lock": digest_lock(),
        "layout": layout.name,
        "layout_sha256": layout.digest,
        **joined,
        **{f"encoding {name}": encodings[name].digest for name in sorted(encodings)},
        "platform": f"{platform.platform()}, Python {platform.python_version()}",
    }


def format_manifest(run: Mapping[str, str], rows: Iterable[Row]) -> str:
    """Return the text of a manifest: the result of `describe_run`, then the rows."""
    header = "".join(f"# {key}\t{value}\n" for key, value in run.items())
    return header + format_table(COLUMNS, ([*row[:-1], *row.counts] for row in rows))


def write_manifest(path: PathLike, run: Mapping[str, str], rows: Iterable[Row]) -> None:
    """Write a manifest."""
    write_atomically(path, format_manifest(run, rows).encode())


def read_manifest(path: PathLike) -> tuple[dict[str, str], list[Row]]:
    """Read a manifest.

    Returns
    -------
    run : dict of str to str
        As `describe_run`.
    rows : list of Row

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    ValueError
        If the file is not a manifest; the message names the line.
    """
    run: dict[str, str] = {}
    rows: list[Row] = []
    try:
        lines = Path(path).read_text(encoding="utf-8").split("\n")
    except UnicodeDecodeError:
        raise ValueError(f"{path}: not UTF-8 text, expected a manifest") from None
    header = next((line for line in lines if not line.startswith("# ")), "")
    columns = header.split("\t")
    expected = [name for name in _DIGESTS if name != _ADDED or name in columns]
    first = len(expected)
    names, counts = columns[:first], columns[first:]
    # That of birdview 0.1 has fewer counts.
    is_known = names == expected and {*counts} <= {*Counts._fields}
    if not is_known or lines.pop():
        raise ValueError(
            f"{path}: cut short, or of another version of birdview, expected the "
            f"columns {' '.join(COLUMNS)}"
        )
    start = lines.index(header)
    for line in lines[:start]:
        key, _, run[key] = line.removeprefix("# ").partition("\t")
    for number, line in enumerate(lines[start + 1 :], start=start + 2):
        words = line.split("\t")
        try:
            numbers = dict(zip(counts, map(int, words[first:]), strict=True))
            digests = {_ADDED: "", **dict(zip(names, words, strict=False))}
            rows.append(Row(**digests, counts=Counts(**numbers)))
        except (TypeError, ValueError):
            raise ValueError(
                f"{path}: line {number}: {line!r}, expected {first + len(counts)} "
                f"columns, the last {len(counts)} of them numbers"
            ) from None
    return run, rows
