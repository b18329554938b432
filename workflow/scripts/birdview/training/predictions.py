"""Find the files of what a model predicted: which scan each is of."""

import os
from collections.abc import Collection
from pathlib import Path

from birdview.files import PathLike

_EXPECTED = "as `yolo obb predict save_txt=True save_conf=True` writes them"


def list_files(folder: PathLike) -> list[Path]:
    """Return the files of predictions in a folder and below, sorted."""
    files = Path(folder).rglob("*.txt")
    return sorted(path for path in files if not path.name.startswith("."))


def match_files(folder: PathLike, scans: Collection[str]) -> dict[str, Path]:
    """Return the file of predictions of each scan that has one.

    It has the name of the scan, with folders; or its last part alone, because trainers
    name files by those of images.

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or no file in it.
    ValueError
        If a file is that of no scan, or of several; or two are of the same.
    """
    where = os.path.abspath(folder)
    if not os.path.isdir(folder):
        raise FileNotFoundError(
            f"predictions: no folder at {where}, expected .txt files, {_EXPECTED}"
        )
    files = list_files(folder)
    if not files:
        raise FileNotFoundError(
            f"predictions: no .txt file in {where}, expected some, {_EXPECTED}"
        )
    stems: dict[str, list[str]] = {}
    for scan in scans:
        stems.setdefault(os.path.basename(scan), []).append(scan)
    matched: dict[str, Path] = {}
    names = {
        file: file.relative_to(folder).as_posix().removesuffix(".txt") for file in files
    }
    known = {*scans}
    for file in sorted(files, key=lambda file: names[file] not in known):
        name = names[file]
        fitting = [name] if name in known else stems.get(name, [])
        if not fitting:
            raise ValueError(
                f"{file}: no scan {name} in the data set, expected predictions on its "
                f"images"
            )
        if len(fitting) > 1:
            raise ValueError(
                f"{file}: {fitting[0]} and {fitting[1]} both end in {name}, expected "
                f"one scan: predict the images of each folder by themselves, and put "
                f"the files into a folder of its name"
            )
        (scan,) = fitting
        if scan in matched:
            raise ValueError(
                f"{file}: {matched[scan]} is of the same scan, expected one file"
            )
        matched[scan] = file
    return matched
