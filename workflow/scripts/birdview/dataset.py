"""Data sets: which scans there are, by name."""

import os
from pathlib import Path

SUFFIX = ".bin"


def name_scans(count):
    """Return the names of the first scans of a drive, as KITTI has them: 000000, ..."""
    return [f"{number:06}" for number in range(count)]


def find_scans(folder):
    """Find the scans in a folder and its sub-folders, through links too.

    Returns
    -------
    list of str
        The paths below the folder, without suffix, with forward slashes, sorted.

    Raises
    ------
    FileNotFoundError
        If the folder is missing or holds no scan.
    """
    where = os.path.abspath(folder)
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"scans: no folder at {where}, expected one with scans")
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
            (below / name.removesuffix(SUFFIX)).as_posix()
            for name in files
            if name.endswith(SUFFIX)
        ]
    if not scans:
        raise FileNotFoundError(
            f"scans: no {SUFFIX} file in {where} or below, expected one for each scan"
        )
    return sorted(scans)
