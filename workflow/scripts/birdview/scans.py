"""Find scans by name, and check their names.

A scan's name is its path below the folder of the scans, without suffix. Its image has
the same name.
"""

import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from birdview.files import PathLike

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


def find_scans(
    folder: PathLike,
    suffix: str = ".bin",
    split: PathLike | None = None,
    skip: PathLike | None = None,
) -> list[str]:
    """Find the scans in a folder and its sub-folders, also through links.

    Parameters
    ----------
    folder : path-like
    suffix : str
        How the names of the files end.
    split : path-like, optional
        A list of the scans, for `read_split`; then the folder is not searched.
    skip : path-like, optional
        A folder below, whose files are not the user's scans.

    Returns
    -------
    list of str
        Paths below the folder, without suffix, with forward slashes, sorted.

    Raises
    ------
    FileNotFoundError
        If the folder or the split is missing, or the folder holds no scan.
    ValueError
        If the folder has a name that Snakemake does not take, or if the split is not a
        list of names.
    """
    where = os.path.abspath(folder)
    for pattern, why in INVALID_NAMES.items():
        if re.search(pattern, str(folder)):
            raise ValueError(f"scans: {where!r}: invalid path of scans: {why}")
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"scans: no folder at {where}, expected one with scans")
    scans = _walk(folder, suffix, skip) if split is None else read_split(split)
    if not scans:
        raise FileNotFoundError(
            f"scans: no {suffix} file in {where} or below, expected one for each scan"
        )
    return sorted(scans)


def _walk(folder: PathLike, suffix: str, skip: PathLike | None) -> list[str]:
    scans: list[str] = []
    skipped = skip and os.path.realpath(skip)
    # A link may lead back to a folder above it: those on the way to each path.
    above = {os.fspath(folder): {os.path.realpath(folder)}}
    for path, folders, files in os.walk(folder, followlinks=True):
        way = above.pop(path)
        for name in folders.copy():
            inside = os.path.join(path, name)
            real = os.path.realpath(inside)
            if real in way or real == skipped:
                folders.remove(name)
            else:
                above[inside] = way | {real}
        below = Path(path).relative_to(folder)
        scans += [
            (below / name.removesuffix(suffix)).as_posix()
            for name in files
            if name.endswith(suffix)
        ]
    return scans


def read_split(path: PathLike) -> list[str]:
    """Read a list of scans: a text file with one name per line, as KITTI's splits.

    Returns
    -------
    list of str
        Sorted, without repetitions.

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    ValueError
        If it is not a list of names.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").split("\n")
    except FileNotFoundError:
        raise FileNotFoundError(
            f"split: no file {path}, expected one with the name of a scan in each line"
        ) from None
    except UnicodeDecodeError:
        raise ValueError(
            f"split: {path} is not UTF-8 text, expected names of scans"
        ) from None
    for number, name in enumerate(lines, 1):
        if name and {"", ".", ".."} & set(name.split("/")):
            raise ValueError(
                f"split: {path}, line {number}: {name!r}, expected the path of a scan "
                f"below scans, without suffix"
            )
    scans = sorted({name for name in lines if name})
    if not scans:
        raise ValueError(
            f"split: nothing in {path}, expected the name of a scan in each line"
        )
    return scans


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


def _is_repetitive(name: str) -> bool:
    return any(
        name.endswith(name[-size:] * 20) for size in range(1, 1 + len(name) // 20)
    )


def split_into_parts(scans: list[str], size: int) -> dict[str, list[str]]:
    """Split scans into parts of one size, the last of which may be smaller.

    Returns
    -------
    dict of str to list of str
        By number: 00000, 00001, ...
    """
    starts = range(0, len(scans), size)
    return {
        f"{number:05}": scans[start : start + size]
        for number, start in enumerate(starts)
    }


def find_labelled(labels: PathLike, scans: list[str]) -> list[str]:
    """Return the scans that have labels.

    Parameters
    ----------
    labels : path-like
        The folder that holds KITTI's `label_2`.
    scans : list of str
        The names of the scans.

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or no label in it for any of the scans.
    """
    folder = Path(labels) / "label_2"
    where = os.path.abspath(folder)
    if not folder.is_dir():
        raise FileNotFoundError(
            f"labels: no folder at {where}, expected KITTI's labels"
        )
    labelled = [scan for scan in scans if (folder / f"{scan}.txt").is_file()]
    if not labelled:
        raise FileNotFoundError(
            f"labels: none in {where} for a scan, such as {scans[0]}.txt"
        )
    return labelled
