"""Compare images with what their scans give, and with a colleague's manifest.

Every image is rendered again, in memory. The same scan, encoding and program give the
same file, byte for byte, so only files with other bytes need a closer look.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from birdview.counts import Counts
from birdview.files import PathLike, format_table, write_atomically
from birdview.image import ImageFile, Inflate, decode_image, inflate_with_zlib
from birdview.pixels.assembly import LABELLED, LABELS, SCAN, SENSORS, SWEEPS
from birdview.pixels.encoding import Encoding
from birdview.pixels.recipe import parse_conditions
from birdview.reproduce.manifest import (
    JOINED,
    Row,
    digest_conditions,
    former_digest,
    read_manifest,
)

Pixels: TypeAlias = NDArray[np.uint8]

KINDS = ("scan", "encoding", "dataset", "image", "pixels", "bytes")
"""What may differ. A difference is reported under the first kind that applies."""
HARMLESS = "bytes"
"""The kind in which the pixels agree."""
MAKERS = ("software", "code", "lock", "platform")
"""The entries of a manifest that may explain why pixels differ."""
OTHER_FILES = {
    SWEEPS: "sweeps",
    SENSORS: "files of sensors",
    LABELLED: "files of labels",
}
"""Keywords of how many files an image was made of, and what these are."""
OTHER_CONDITIONS = {
    "camera": "another camera than the calibration says",
    "sweeps": "other sweeps than the settings and the poses say",
    "level": "another pose to level it than there is",
    "sensors": "other layouts or frames of sensors than the settings say",
    "classes": "other classes of labels than the settings say",
}
"""What an image was rendered with, if a condition is another one."""
OF_SCANS = {
    "camera_view": "calibrations",
    "sweeps": "poses",
    "level": "poses",
    "classes": "labels of points",
}
"""Entries of a manifest, and what else decides the image of each scan with them."""
OF_SEVERAL = "sweeps", "sensors"
"""Entries of a manifest with which the digest of a scan is that of several files."""
OF_ENCODINGS = "classes"
"""The entry of a manifest that there is only with some encodings."""
MAX_PRINTED = 20
"""Findings that are printed; all are in the table."""
FAINT = 64
"""The shade of a difference of 1 in a picture: it is seen beside one of 255."""
_DIGITS = 64
"""Of a whole SHA-256."""


class Finding(NamedTuple):
    """A difference.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    encoding, scan : str
        Of the image; "" if it concerns all encodings or all scans.
    what : str
        What was found, and what was expected.
    """

    kind: str
    encoding: str
    scan: str
    what: str

    def __str__(self) -> str:
        """Return the difference in one line."""
        image = "/".join(name for name in (self.encoding, self.scan) if name)
        return ": ".join(text for text in (self.kind, image, self.what) if text)


class Checked(NamedTuple):
    """The result of checking one image.

    Attributes
    ----------
    findings : list of Finding
    scan_sha256 : str
        Of the scan on disk; "" if it cannot be rendered.
    row : Row or None
        Of the image on disk, if its pixels are right.
    shown_sha256 : str
        Of the scan that the image shows instead of its own; "" if there is none.
    """

    findings: list[Finding]
    scan_sha256: str
    row: Row | None
    shown_sha256: str = ""


def check_images(
    images: Sequence[ImageFile],
    make_image: Callable[[ImageFile], tuple[bytes, Counts]],
    threads: int,
    inflate: Inflate = inflate_with_zlib,
) -> dict[tuple[str, str], Checked]:
    """Render images again, and compare their files with the result.

    Parameters
    ----------
    images : sequence of ImageFile
    make_image : function
        Renders the scan of an image in memory, in any thread.
    threads : int
    inflate : function

    Returns
    -------
    dict of (str, str) to Checked
        By the names of encoding and scan.
    """
    with ThreadPoolExecutor(threads) as pool:
        results = [*pool.map(lambda image: _check(image, make_image, inflate), images)]
    checked = {
        (image.encoding.name, image.scan): result
        for image, result in zip(images, results, strict=True)
    }
    names = {one.scan_sha256: scan for (_, scan), one in checked.items()}
    for key, one in checked.items():
        if one.shown_sha256 and one.shown_sha256 in names:
            checked[key] = _name_shown(one, names[one.shown_sha256])
    return checked


def _name_shown(checked: Checked, other: str) -> Checked:
    """Name the scan that an image shows instead of its own."""
    (finding,) = checked.findings
    digest = checked.scan_sha256[:12]
    what = f"it shows the scan {other}, expected {finding.scan} ({digest})"
    return checked._replace(findings=[finding._replace(what=what)])


def _check(
    image: ImageFile,
    make_image: Callable[[ImageFile], tuple[bytes, Counts]],
    inflate: Inflate,
) -> Checked:
    encoding, scan = image.encoding, image.scan

    def found(kind: str, what: str, digest: str = "") -> Checked:
        return Checked([Finding(kind, encoding.name, scan, what)], digest, None)

    try:
        expected, counts = make_image(image)
    except (MemoryError, OSError, ValueError) as error:
        return found("scan", str(error))
    expected_text, expected_pixels = decode_image(expected, image.path, inflate)
    digest = expected_text[SCAN]
    try:
        content = Path(image.path).read_bytes()
        text, pixels = expected_text, expected_pixels
        if content != expected:
            text, pixels = decode_image(content, image.path, inflate)
    except FileNotFoundError:
        return found("image", "there is none", digest)
    except (OSError, ValueError) as error:
        return found("image", str(error), digest)
    shown = text.get(SCAN, digest)
    if shown != digest:
        what = _compare_files(text, expected_text) or (
            f"it shows other bytes of {scan} or of scans drawn with it "
            f"({shown[:12]}, expected {digest[:12]})"
            if any(keyword in text for keyword in (SWEEPS, SENSORS))
            else f"it shows the scan with the digest {shown[:12]}, expected {scan} "
            f"({digest[:12]})"
        )
        return found("image", what, digest)._replace(shown_sha256=shown)
    digests = encoding.digest, former_digest(encoding)
    if text.get("birdview:encoding_sha256", encoding.digest) not in digests:
        what = "it was rendered with other numbers than the encoding has"
        return found("image", what, digest)
    # The text is missing in an image that another program saved.
    if SCAN in text and (what := _compare_conditions(text, expected_text)):
        return found("image", what, digest)
    if pixels.shape != expected_pixels.shape or (pixels != expected_pixels).any():
        what = f"{_count(pixels, expected_pixels)} that the scan gives"
        return found("pixels", what, digest)
    pixels_sha256 = hashlib.sha256(expected_pixels.tobytes()).hexdigest()
    file_sha256 = hashlib.sha256(content).hexdigest()
    row = Row(
        encoding.name,
        scan,
        digest,
        digest_conditions(expected_text),
        pixels_sha256,
        file_sha256,
        counts,
    )
    if content != expected:
        what = "the file has other bytes than it would have here, but the same pixels"
        return found(HARMLESS, what, digest)._replace(row=row)
    return Checked([], digest, row)


def _compare_files(text: Mapping[str, str], expected: Mapping[str, str]) -> str:
    """Return which files an image was not made of, in words; "" if it was of all."""
    for keyword, files in OTHER_FILES.items():
        shown, wanted = text.get(keyword, "no"), expected.get(keyword, "none")
        if keyword in {**text, **expected} and shown != wanted:
            return f"it shows {shown} {files}, expected {wanted}"
    return ""


def _compare_conditions(text: Mapping[str, str], expected: Mapping[str, str]) -> str:
    """Return what else differs than the points of an image, in words; "" if nothing."""
    if what := _compare_files(text, expected):
        return what
    here, there = (parse_conditions(one)._asdict() for one in (text, expected))
    for condition, words in OTHER_CONDITIONS.items():
        if here[condition] != there[condition]:
            return f"it was rendered with {words}"
    shown, wanted = (one.get(LABELS, "none")[:12] for one in (text, expected))
    if shown != wanted:
        return f"it shows other labels of points ({shown}, expected {wanted})"
    return ""


def _count(pixels: Pixels, others: Pixels) -> str:
    """Return how many pixels differ, and the first of them, in words."""
    if pixels.shape != others.shape:
        return f"{pixels.shape} pixels, expected the {others.shape}"
    differ = _differing(pixels, others)
    row, col = np.argwhere(differ)[0]
    return (
        f"{differ.sum()} of {differ.size} pixels, the first in row {row} and column "
        f"{col}, are not those"
    )


def _differing(pixels: Pixels, others: Pixels) -> NDArray[np.bool_]:
    differ = pixels != others
    return differ.any(axis=2) if differ.ndim == 3 else differ


def _shade_differences(pixels: Pixels, others: Pixels) -> tuple[Pixels, int]:
    """Return how much pixels differ, as shades, and the greatest difference.

    0 is none, `FAINT` is 1 and 255 the greatest; between them, shades are linear.
    """
    differences = np.abs(pixels.astype(np.int32) - others)
    if differences.ndim == 3:
        differences = differences.max(axis=2)
    greatest = int(differences.max())
    shades = FAINT + (differences - 1) * (255 - FAINT) / max(1, greatest - 1)
    if greatest == 1:
        shades[:] = 255
    return np.where(differences, np.rint(shades), 0).astype(np.uint8), greatest


def compare(
    checked: Mapping[tuple[str, str], Checked],
    run: Mapping[str, str],
    encodings: Mapping[str, Encoding],
    manifest: PathLike,
    results: PathLike,
    folder: PathLike,
    inflate: Inflate = inflate_with_zlib,
) -> list[Finding]:
    """Compare checked images with a colleague's manifest.

    Parameters
    ----------
    checked : dict of (str, str) to Checked
    run : dict of str to str
        The result of `birdview.reproduce.manifest.describe_run`.
    encodings : dict of str to Encoding
        Those of the run, by name.
    manifest : path-like
        The colleague's manifest. If images are beside it, they are compared too.
    results : path-like
        The folder of the checked images.
    folder : path-like
        Where to save pictures of the differences, if pixels differ.
    inflate : function

    Returns
    -------
    list of Finding

    Raises
    ------
    OSError
        If a picture cannot be saved.
    ValueError
        If the manifest cannot be read.
    """
    try:
        their_run, rows = read_manifest(manifest)
    except (OSError, ValueError) as error:
        raise ValueError(f"compare_with: {error}") from None
    theirs = {(row.encoding, row.scan): row for row in rows}
    same_files = all(run.get(key) == their_run.get(key) for key in OF_SEVERAL)
    findings = list(_compare_scans(checked, theirs, same_files=same_files))
    other_scans = {finding.scan for finding in findings}
    # A manifest of birdview 0.1 has the layout's name alone.
    layout = "layout_sha256" if "layout_sha256" in their_run else "layout"
    if run[layout] != their_run.get(layout):
        what = f"layout {_layout(run)} here, {_layout(their_run)} there"
        return [*findings, Finding("encoding", "", "", what)]
    if joined := list(_compare_joined(run, their_run)):
        return [*findings, *joined]
    differs = [key for key in MAKERS if run[key] != their_run.get(key, run[key])]
    makers = f"; other there: {', '.join(differs)}" if differs else ""
    for name in sorted({name for name, _ in {**checked, **theirs}}):
        here, there = (side.get(f"encoding {name}") for side in (run, their_run))
        is_former = name in encodings and there == former_digest(encodings[name])
        if here != there and not is_former:
            what = f"{(here or 'none')[:12]} here, {(there or 'none')[:12]} there"
            findings.append(Finding("encoding", name, "", what))
    for entry, digest in sorted(their_run.items()):
        name = entry.removeprefix("dataset ")
        if name != entry and run.get(entry) != digest:
            what = (
                f"{run.get(entry, '')[:12] or 'none'} here, {digest[:12]} there: other "
                f"labels or settings, or files that were changed"
            )
            findings.append(Finding("dataset", name, "", what))
    other_encodings = {one.encoding for one in findings if one.kind == "encoding"}
    for key, result in checked.items():
        mine = result.row
        if key[0] in other_encodings or key[1] in other_scans or mine is None:
            continue
        if key not in theirs:
            findings.append(Finding("image", *key, "not in their manifest"))
            continue
        their = theirs[key]
        digests = mine.conditions_sha256, their.conditions_sha256
        if digests[0] != digests[1]:
            others = dict.fromkeys(OF_SCANS[one] for one in OF_SCANS if one in run)
            here, there = (digest[:12] or "none" for digest in digests)
            what = f"other {' or '.join(others)}: {here} here, {there} there"
            findings.append(Finding("scan", *key, what))
        elif mine.pixels_sha256 != their.pixels_sha256:
            image = f"{key[0]}/{key[1]}.png"
            what = _compare_pixels(
                Path(results, image),
                Path(manifest).parent / image,
                Path(folder, image),
                inflate,
            )
            findings.append(Finding("pixels", *key, what + makers))
        elif mine.file_sha256 != their.file_sha256:
            what = "the file has other bytes than theirs, but the same pixels"
            findings.append(Finding(HARMLESS, *key, what))
    return findings


def _layout(run: Mapping[str, str]) -> str:
    digest = run.get("layout_sha256", "")[:12]
    return f"{run.get('layout')} ({digest})" if digest else f"{run.get('layout')}"


def _compare_joined(
    run: Mapping[str, str], their_run: Mapping[str, str]
) -> Iterator[Finding]:
    """Yield what images of all scans are made of on one side only."""
    for entry in JOINED:
        here, there = (side.get(entry, "null") for side in (run, their_run))
        # With encodings that show classes, which are compared by themselves.
        is_of_encodings = entry == OF_ENCODINGS and "null" in (here, there)
        if here != there and not is_of_encodings:
            what = f"{entry}: {_shorten(here)} here, {_shorten(there)} there"
            yield Finding("encoding", "", "", what)


def _shorten(value: str) -> str:
    """Return the first digits of a digest, and any other value as it is."""
    return value[:12] if len(value) == _DIGITS else value


def _compare_scans(
    checked: Mapping[tuple[str, str], Checked],
    theirs: Mapping[tuple[str, str], Row],
    *,
    same_files: bool,
) -> Iterator[Finding]:
    """Yield the scans that only one side has, or that have other bytes.

    The bytes are only compared if digests are those of the same files.
    """
    here = {scan: result.scan_sha256 for (_, scan), result in checked.items()}
    there: dict[str, set[str]] = {}
    for row in theirs.values():
        there.setdefault(row.scan, set()).add(row.scan_sha256)
    for scan in sorted({*here, *there}):
        if scan not in there:
            yield Finding("scan", "", scan, "only here, not in their manifest")
        elif scan not in here:
            yield Finding("scan", "", scan, "only in their manifest, not here")
        elif same_files and here[scan] and there[scan] != {here[scan]}:
            others = ", ".join(digest[:12] for digest in sorted(there[scan]))
            what = f"other bytes: {here[scan][:12]} here, {others} there"
            yield Finding("scan", "", scan, what)


def _compare_pixels(mine: Path, theirs: Path, picture: Path, inflate: Inflate) -> str:
    """Return how many pixels differ from their image, and save a picture of where."""
    # It needs a compiler, which the rest of this module does not.
    from birdview.pixels.drawing import trace

    what = "other pixels, of the same scan and the same encoding"
    try:
        (_, pixels), (_, others) = (
            decode_image(path.read_bytes(), path, inflate) for path in (mine, theirs)
        )
    except (OSError, ValueError) as error:
        return f"{what} (their image cannot be read: {error})"
    if pixels.shape == others.shape and (pixels == others).all():
        return "other pixels in their manifest, but the same in their image"
    what += f": {_count(pixels, others)} of theirs"
    if pixels.shape != others.shape:
        return what
    shades, greatest = _shade_differences(pixels, others)
    picture.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(picture, trace(shades[..., np.newaxis]).encode({}))
    return (
        f"{what}; {picture} shows where, and how much: grey {FAINT} is a difference of "
        f"1, white of {greatest}, the greatest"
    )


def conclude(findings: Sequence[Finding], count: int, path: PathLike) -> None:
    """Print the findings in the order of `KINDS`, and write them as a table.

    Parameters
    ----------
    findings : list of Finding
    count : int
        The number of images that were checked.
    path : path-like
        The table to write.

    Raises
    ------
    ValueError
        If there is a finding that is not harmless.
    """
    findings = sorted(findings, key=lambda one: (KINDS.index(one.kind), *one))
    write_atomically(path, format_table(Finding._fields, findings).encode())
    for finding in findings[:MAX_PRINTED]:
        print(finding)
    if len(findings) > MAX_PRINTED:
        print(f"... and {len(findings) - MAX_PRINTED} more: see {path}")
    real = sum(finding.kind != HARMLESS for finding in findings)
    if real:
        raise ValueError(f"differences: {real}, in {count} images: see {path}")
    print(f"{count} images verified: all pixels are as they should be")
