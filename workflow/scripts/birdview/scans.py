"""The names of scans: which of them are valid.

A scan's name is its path below the folder of the scans, without suffix. Its image has
the same name.
"""

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from unicodedata import normalize

INVALID_NAMES = {
    r"\{.*\}|<[a-z][a-z0-9_]*>": "{...} and <...> are Snakemake wildcards",
    r"[\n\r\t]": "tabs and line breaks do not fit into the lists of scans",
    r"[\ud800-\udfff]": "it is not UTF-8",
}
"""Patterns of names that are rejected, and why."""

_INVALID_PATHS = {r"(^|/)\.{0,2}(/|$)": "it is not a path below the folder of scans"}
"""Further patterns, checked against scan names only."""

RESERVED_FOLDERS = {
    "boxes/": "for pictures of boxes",
    "demo/": "for the demo's images",
}
"""Folders in results/<encoding>/ that are not for images of the user's scans."""

_LAST_BATCHES, _LEAST = 8, 100
"""For batches of scans: see `split_into_batches`."""


def check_folders(scans: Iterable[str], file_of: Callable[[str], str]) -> None:
    """Check that no image of a user's scan would be where others are.

    Parameters
    ----------
    scans : iterable of str
        Their names.
    file_of : function
        Returns the file of a scan by its name, for the error message.

    Raises
    ------
    ValueError
        If a scan is in one of the `RESERVED_FOLDERS`.
    """
    for scan in scans:
        for folder, purpose in RESERVED_FOLDERS.items():
            if scan.startswith(folder):
                raise ValueError(
                    f"scans: {file_of(scan)}, expected another folder than {folder}: "
                    f"results/<encoding>/{folder} is {purpose}"
                )


def find_invalid_names(
    scans: list[str], patterns: Mapping[str, str] = INVALID_NAMES
) -> dict[str, str]:
    """Return the scans whose names cannot be those of images, and why.

    Parameters
    ----------
    scans : list of str
        As `find_scans` returns them.
    patterns : mapping of str to str
        Patterns of names that are rejected, and why.
    """
    patterns = {**patterns, **_INVALID_PATHS}
    files = {f"{scan}{suffix}" for scan in scans for suffix in (".png", ".log")}
    files |= {"grid.json", "grid.json.log"}
    # For each folder, the first of it and those above it that has the name of a file.
    clashes = {}
    for folder in {os.path.dirname(scan) for scan in scans}:
        above = [folder, *(parent.as_posix() for parent in Path(folder).parents)]
        clashes[folder] = next((name for name in above[::-1] if name in files), None)
    invalid = {}
    for scan in scans:
        clash = clashes[os.path.dirname(scan)]
        for pattern, why in patterns.items():
            if re.search(pattern, scan):
                invalid[scan] = why
        if _is_repetitive(scan):
            invalid[scan] = (
                "it ends in a pattern repeated 20 times, which Snakemake rejects as a "
                "cyclic wildcard"
            )
        elif clash:
            invalid[scan] = f"the folder {clash} would replace the file {clash}"
    return invalid


def find_alike(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield pairs of names that some file systems take for the same.

    They differ only in case, or in Unicode's normal form.
    """
    text = "\0".join(names)  # at once, because names may be hundreds of thousands
    if text.isascii():
        folded = text.lower().split("\0")
    else:
        folded = normalize("NFD", normalize("NFD", text).casefold()).split("\0")
    if len({*folded}) == len(folded):
        return
    first: dict[str, str] = {}
    for name, key in zip(names, folded, strict=True):
        if first.setdefault(key, name) != name:
            yield first[key], name


def _is_repetitive(name: str) -> bool:
    return any(
        name.endswith(name[-size:] * 20) for size in range(1, 1 + len(name) // 20)
    )


def split_into_batches(
    scans: list[str], encodings: list[str], size: int, *, even: bool
) -> dict[str, list[str]]:
    """Split scans into batches of one size.

    Unless they are `even`, they get smaller towards the end, so that all cores are busy
    until then, whatever their number: a batch is no more than one in `_LAST_BATCHES` of
    the scans that are left, unless these are few.

    Returns
    -------
    dict of str to list of str
        By name: a number, and a digest of the scans and encodings, such as
        ``00000-0a1b2c3d``. So what is kept of one batch is never taken for another's.
    """
    batches: dict[str, list[str]] = {}
    start = 0
    while start < len(scans):
        most = max(_LEAST, (len(scans) - start) // _LAST_BATCHES)
        batch = scans[start : start + (size if even else min(size, most))]
        start += len(batch)
        text = "\n".join([*encodings, "", *batch])
        digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
        batches[f"{len(batches):05}-{digest[:8]}"] = batch
    return batches
