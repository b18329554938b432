"""Data sets: which scans there are, by name."""

import os
import re
from pathlib import Path

UNFIT = {
    r"\{.*\}|<[a-z][a-z0-9_]*>": "Snakemake takes {...} and <...> for something else",
    r"[\n\r\t]": "a tab or a line's end does not fit into the lists of scans",
    r"[\ud800-\udfff]": "it is not UTF-8",
}
"""Patterns of names that are refused, and why."""

NO_PATHS = {r"(^|/)\.{0,2}(/|$)": "it is not that of a file below the folder"}
"""The same of names alone, and not of the folders that they are in."""

BOXES = "boxes/"
"""The folder of an encoding's results that is not for images of scans."""


def name_scans(count):
    """Return the names of the first scans of a drive, as KITTI has them: 000000, ..."""
    return [f"{number:06}" for number in range(count)]


def find_scans(folder, suffix=".bin", split=None):
    """Find the scans in a folder and its sub-folders, through links too.

    Parameters
    ----------
    folder : path-like
    suffix : str
        How the names of the scans' files end.
    split : path-like, optional
        See `read_split`: these are the scans, and the folder is not looked through.

    Returns
    -------
    list of str
        The paths below the folder, without suffix, with forward slashes, sorted.

    Raises
    ------
    FileNotFoundError
        If the folder or the split is missing, or the folder holds no scan.
    ValueError
        If the folder has a name that Snakemake does not take, if the split is not a
        list of names, or if a scan would have its image where the pictures of boxes
        are.
    """
    where = os.path.abspath(folder)
    for what, why in UNFIT.items():
        if re.search(what, str(folder)):
            raise ValueError(f"scans: {where!r}: no path for scans: {why}")
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"scans: no folder at {where}, expected one with scans")
    scans = _walk(folder, suffix) if split is None else read_split(split)
    if not scans:
        raise FileNotFoundError(
            f"scans: no {suffix} file in {where} or below, expected one for each scan"
        )
    for scan in scans:
        if scan.startswith(BOXES):
            raise ValueError(
                f"scans: {where}/{BOXES} holds scans, expected another name: "
                f"results/<encoding>/{BOXES} is for pictures of boxes"
            )
    return sorted(scans)


def _walk(folder, suffix):
    scans, been = [], set()
    for path, folders, files in os.walk(folder, followlinks=True):
        # A link may lead back to a folder above it.
        been.add(os.path.realpath(path))
        folders[:] = [
            name
            for name in folders
            if os.path.realpath(os.path.join(path, name)) not in been
        ]
        below = Path(path).relative_to(folder)
        scans += [
            (below / name.removesuffix(suffix)).as_posix()
            for name in files
            if name.endswith(suffix)
        ]
    return scans


def read_split(path):
    """Read which scans there are from a text file with the name of one in each line.

    Parameters
    ----------
    path : path-like
        Such as KITTI's split for training.

    Returns
    -------
    list of str
        Sorted, each once.

    Raises
    ------
    OSError
        If there is no such file, or if it cannot be read.
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
        raise ValueError(f"split: {path} is no text, expected names of scans") from None
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


def find_unfit(scans, more=None):
    """Say of which scans no image can be made under their names, and why.

    Parameters
    ----------
    scans : list of str
        As `find_scans` returns them.
    more : dict of str to str, optional
        Patterns of names that are refused besides `UNFIT`, and why.

    Returns
    -------
    dict of str to str
    """
    patterns = UNFIT | NO_PATHS | (more or {})
    files = {f"{scan}{suffix}" for scan in scans for suffix in (".png", ".log")}
    files |= {"grid.json", "grid.json.log"}
    taken = {}  # by folder: the first one above it, or itself, that is where a file is
    for folder in {os.path.dirname(scan) for scan in scans}:
        above = [folder, *(parent.as_posix() for parent in Path(folder).parents)]
        taken[folder] = next((name for name in above[::-1] if name in files), None)
    unfit = {}
    for scan in scans:
        folder = taken[os.path.dirname(scan)]
        for what, why in patterns.items():
            if re.search(what, scan):
                unfit[scan] = why
        if _is_repetitive(scan):
            unfit[scan] = "it ends with twenty times the same, to Snakemake a loop"
        elif folder:
            unfit[scan] = (
                f"the folder {folder} would be where the file {folder} of another is"
            )
    return unfit


def _is_repetitive(name):
    return any(
        name.endswith(name[-size:] * 20) for size in range(1, 1 + len(name) // 20)
    )


def divide(scans, size):
    """Divide scans into parts of so many, the last one of fewer.

    Parameters
    ----------
    scans : list of str
    size : int

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


def refuse_others_images(encodings, demo):
    """See that the demo's images would not take the place of others.

    Parameters
    ----------
    encodings : iterable of str
        Their names.
    demo : path-like
        The folder of the demo's scans.

    Raises
    ------
    ValueError
        If there are images of other scans than the demo's.
    """
    for encoding in encodings:
        for image in sorted(Path("results", encoding).glob("*.png")):
            if not (Path(demo) / f"{image.stem}.bin").exists():
                raise ValueError(
                    f"scans: null, but {image} is of another scan than the demo's: "
                    f"expected the folder of the scans, or another --directory"
                )


def find_labelled(labels, scans):
    """Return those scans for which there is a label.

    Parameters
    ----------
    labels : path-like
        The folder that holds `label_2`.
    scans : list of str
        Their names.

    Raises
    ------
    FileNotFoundError
        If there is no folder, or no label in it for any of the scans.
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
