"""Verifying: are the images those of their scans, and those of a colleague?

Every image is rendered once more, in memory. The same scan, encoding and program make
the same file, byte for byte; so only where the bytes differ is there something to find.
"""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np

from birdview.image import decode_image
from birdview.manifest import Row, read_manifest
from birdview.png import Canvas
from birdview.render import make_image, write

KINDS = ("scan", "encoding", "image", "pixels", "bytes")
"""What may differ, in the order of blame; `bytes` is harmless: the pixels agree."""
HARMLESS = "bytes"
MAKERS = ("software", "code", "lock", "platform")
"""What a manifest says of who made the images: where other pixels may come from."""
SHOWN = 20
"""Findings that are printed; all are in the table."""


class Finding(NamedTuple):
    """Something that differs.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    encoding, scan : str
        Of which image; "" if it concerns all encodings or all scans.
    what : str
        In words: what was found, what was expected.
    """

    kind: str
    encoding: str
    scan: str
    what: str

    def __str__(self):
        """Say it in a line."""
        place = "/".join(name for name in (self.encoding, self.scan) if name)
        return ": ".join(part for part in (self.kind, place, self.what) if part)


class Checked(NamedTuple):
    """What was found of one image.

    Attributes
    ----------
    findings : list of Finding
    scan_sha256 : str
        Of the scan on disk; "" if it cannot be rendered.
    row : Row or None
        That of the image on disk, if it is as it should be.
    """

    findings: list[Finding]
    scan_sha256: str
    row: Row | None


def check_images(images, layout, threads):
    """Render images once more, and compare the files with that.

    Parameters
    ----------
    images : list of (path-like, path-like, Encoding, str)
        The file of a scan, of its image, the encoding and the name of the scan.
    layout : Layout
    threads : int

    Returns
    -------
    dict of (str, str) to Checked
        By the names of encoding and scan.
    """
    scans = sorted({(name, scan) for scan, *_, name in images})
    with ThreadPoolExecutor(threads) as pool:
        digests = dict(pool.map(_digest, scans))
        checked = pool.map(lambda image: _check(*image, layout, digests), images)
        return {
            (encoding.name, name): result
            for (_, _, encoding, name), result in zip(images, checked, strict=True)
        }


def _digest(scan):
    """Return the SHA-256 of a scan, and its name: to say whose an image is."""
    name, path = scan
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest(), name
    except (MemoryError, OSError):
        return "", name


def _check(scan, image, encoding, name, layout, digests):
    def found(kind, what, digest=""):
        return Checked([Finding(kind, encoding.name, name, what)], digest, None)

    try:
        expected, counts = make_image(scan, encoding, layout)
    except (MemoryError, OSError, ValueError) as error:
        return found("scan", str(error))
    said, should = decode_image(expected, image)
    digest = said["birdview:scan_sha256"]
    try:
        content = Path(image).read_bytes()
        text, pixels = said, should
        if content != expected:
            text, pixels = decode_image(content, image)
    except FileNotFoundError:
        return found("image", "there is none", digest)
    except (OSError, ValueError) as error:
        return found("image", str(error), digest)
    of = text.get("birdview:scan_sha256", digest)
    if of != digest:
        other = f"that of {digests[of]}" if of in digests else f"of a scan {of[:12]}"
        what = f"it is {other}, expected that of {name} ({digest[:12]})"
        return found("image", what, digest)
    if text.get("birdview:encoding_sha256", encoding.digest) != encoding.digest:
        return found("image", "it is of other numbers than the encoding has", digest)
    if pixels.shape != should.shape or (pixels != should).any():
        return found("pixels", f"{_count(pixels, should)} that the scan gives", digest)
    sums = (hashlib.sha256(data).hexdigest() for data in (should.tobytes(), content))
    row = Row(encoding.name, name, digest, *sums, *counts)
    if content != expected:
        what = "the file has other bytes than it would have here, but the same pixels"
        return found(HARMLESS, what, digest)._replace(row=row)
    return Checked([], digest, row)


def _count(pixels, others):
    """Say in words how many pixels differ."""
    if pixels.shape != others.shape:
        return f"{pixels.shape} pixels, expected the {others.shape}"
    differ = _differing(pixels, others)
    row, col = np.argwhere(differ)[0]
    return (
        f"{differ.sum()} of {differ.size} pixels, the first in row {row} and column "
        f"{col}, are not those"
    )


def _differing(pixels, others):
    differ = pixels != others
    return differ.any(axis=2) if differ.ndim == 3 else differ


def compare(checked, run, reference, folder):
    """Compare what was checked with a colleague's manifest.

    Parameters
    ----------
    checked : dict of (str, str) to Checked
    run : dict of str to str
        What `birdview.manifest.describe_run` says.
    reference : path-like
        The colleague's manifest. The images beside it are looked at, if there are some.
    folder : path-like
        Where to save a picture of the differences, if pixels differ.

    Returns
    -------
    list of Finding

    Raises
    ------
    OSError
        If a picture cannot be saved.
    ValueError
        If there is no such manifest.
    """
    try:
        their_run, rows = read_manifest(reference)
    except (OSError, ValueError) as error:
        raise ValueError(f"reference: {error}") from None
    theirs = {(row.encoding, row.scan): row for row in rows}
    findings = list(_compare_scans(checked, theirs))
    blamed = {finding.scan for finding in findings}
    if run["layout"] != their_run.get("layout"):
        what = f"layout {run['layout']} here, {their_run.get('layout')} there"
        return [*findings, Finding("encoding", "", "", what)]
    differs = [key for key in MAKERS if run[key] != their_run.get(key, run[key])]
    makers = f"; other there: {', '.join(differs)}" if differs else ""
    for name in sorted({name for name, _ in {**checked, **theirs}}):
        here, there = (side.get(f"encoding {name}") for side in (run, their_run))
        if here != there:
            what = f"{(here or 'none')[:12]} here, {(there or 'none')[:12]} there"
            findings.append(Finding("encoding", name, "", what))
    others = {finding.encoding for finding in findings if finding.kind == "encoding"}
    for key, (_, _, mine) in checked.items():
        if key[0] in others or key[1] in blamed or mine is None:
            continue
        if key not in theirs:
            findings.append(Finding("image", *key, "not in their manifest"))
            continue
        their = theirs[key]
        if mine.pixels_sha256 != their.pixels_sha256:
            beside = Path(reference).parent / key[0] / f"{key[1]}.png"
            what = _compare_pixels(key, beside, Path(folder))
            findings.append(Finding("pixels", *key, what + makers))
        elif mine.file_sha256 != their.file_sha256:
            what = "the file has other bytes than theirs, but the same pixels"
            findings.append(Finding(HARMLESS, *key, what))
    return findings


def _compare_scans(checked, theirs):
    """Yield the scans that one side has not, or that have other bytes."""
    here = {scan: result.scan_sha256 for (_, scan), result in checked.items()}
    there = {}
    for row in theirs.values():
        there.setdefault(row.scan, set()).add(row.scan_sha256)
    for scan in sorted({*here, *there}):
        if scan not in there:
            yield Finding("scan", "", scan, "only here, not in their manifest")
        elif scan not in here:
            yield Finding("scan", "", scan, "only in their manifest, not here")
        elif here[scan] and there[scan] != {here[scan]}:
            others = ", ".join(digest[:12] for digest in sorted(there[scan]))
            what = f"other bytes: {here[scan][:12]} here, {others} there"
            yield Finding("scan", "", scan, what)


def _compare_pixels(key, beside, folder):
    """Say how many pixels differ from their image, and save a picture of where."""
    what = "other pixels, of the same scan and the same encoding"
    mine = folder.parent / key[0] / f"{key[1]}.png"
    try:
        (_, pixels), (_, others) = (
            decode_image(path.read_bytes(), path) for path in (mine, beside)
        )
    except (OSError, ValueError) as error:
        return f"{what} (their image cannot be looked at: {error})"
    if pixels.shape == others.shape:
        if (pixels == others).all():
            return f"{what}, says their manifest; but their image has the same pixels"
        canvas = Canvas((*pixels.shape[:2], 1))
        canvas.planes[..., 0] = 255 * _differing(pixels, others)
        picture = folder / key[0] / f"{key[1]}.png"
        picture.parent.mkdir(parents=True, exist_ok=True)
        write(picture, canvas.encode({}))
        what += f"; {picture} shows where"
    return f"{what}: {_count(pixels, others)} of theirs"


def conclude(findings, count, path):
    """Print what was found, in the order of blame, and write it as a table with tabs.

    Parameters
    ----------
    findings : list of Finding
    count : int
        Of the images that were checked.
    path : path-like
        The table to write.

    Raises
    ------
    ValueError
        If anything was found that is not harmless.
    """
    findings = sorted(findings, key=lambda one: (KINDS.index(one.kind), *one))
    lines = ["\t".join(line) for line in (Finding._fields, *findings)]
    write(path, "".join(f"{line}\n" for line in lines).encode())
    for finding in findings[:SHOWN]:
        print(finding)
    if len(findings) > SHOWN:
        print(f"... and {len(findings) - SHOWN} more: see {path}")
    real = sum(finding.kind != HARMLESS for finding in findings)
    if real:
        raise ValueError(f"differences: {real}, in {count} images: see {path}")
    print(f"{count} images verified: all pixels are as they should be")
