"""Divide the scans of a run into the splits of a data set."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from itertools import accumulate, combinations

from birdview.splits import Place, explain_missing, read_split

_KEYS = (
    *("path", "names", "nc", "channels", "download", "kpt_shape", "flip_idx"),
    *("masks_dir", "label_mapping"),
)
"""Names that have another meaning beside those of splits in the files for YOLO."""
_TOLERANCE = 1e-9  # of the sum of shares: 0.7 + 0.2 + 0.1 may be a little more than 1


def check_splits(splits: Mapping[str, float | str]) -> None:
    """Check the names and the shares of splits, without reading any file.

    Raises
    ------
    ValueError
        If a name cannot be that of a folder, if two differ in case alone, or if a share
        or the sum of all shares is impossible.
    """
    for name, wanted in splits.items():
        if not isinstance(name, str):  # as yaml reads 1, or yes
            raise ValueError(
                f"dataset: splits: {name!r}, expected text: put quotes around it"
            )
        if not re.fullmatch(r"\w[\w-]*", name, re.ASCII):
            raise ValueError(
                f"dataset: splits: {name!r}: the name becomes that of a folder, "
                f"expected letters, digits, _ and -"
            )
        if name in _KEYS:
            raise ValueError(
                f"dataset: splits: {name}: a key of data.yaml, expected another name "
                f"than {', '.join(_KEYS)}"
            )
        if not isinstance(wanted, str) and not 0 < wanted <= 1:
            raise ValueError(
                f"dataset: splits: {name}: {wanted}, expected a share above 0 and up "
                f"to 1, or the path of a file with names of scans"
            )
    for one, other in combinations(splits, 2):
        if one.casefold() == other.casefold():
            raise ValueError(
                f"dataset: splits: {one} and {other} would have the same folder on "
                f"some disks, expected different names"
            )
    total = sum(_shares(splits).values())
    if total > 1 + _TOLERANCE:
        raise ValueError(
            f"dataset: splits: shares of {total:.10g} in all, expected at most 1"
        )


def divide(
    scans: Sequence[str], splits: Mapping[str, float | str], by: str, place: Place
) -> dict[str, list[str]]:
    """Divide the scans of a run into splits.

    A scan that a file names goes into the split of this file. Of all others, the shares
    decide: the SHA-256 of a name is a number from 0 to 1, and each share is a range of
    these, in the order of the splits. So a scan stays in its split whatever other scans
    there are, on every machine.

    Parameters
    ----------
    scans : sequence of str
        Their names.
    splits : mapping of str to float or str
        For each split, its share of the scans, or a text file with the name of one scan
        per line.
    by : str
        Whose name is hashed: that of the ``scan``, or of its ``drive``, so that all
        scans of a drive are in the same split. The drive is the folder of the scan;
        scans that are not in a folder are one drive.
    place : Place
        Where the scans are, for reading files.

    Returns
    -------
    dict of str to list of str
        The scans of each split, in the order of `scans`. Some may be empty, and scans
        may be in no split.

    Raises
    ------
    OSError
        If a file is missing or cannot be read.
    ValueError
        As `check_splits`; if a file is not a list of names, or names a scan that is not
        in the run; or if two files name the same scan.

    Examples
    --------
    >>> from birdview.sources import Demo
    >>> scans = [f"demo/{number:06}" for number in range(8)]
    >>> divide(scans, {"train": 0.75}, "scan", Demo(8, "results").place)["train"][:2]
    ['demo/000000', 'demo/000002']
    """
    check_splits(splits)
    known = set(scans)
    place = place._replace(
        where="the run", exists=known.__contains__, names=lambda: sorted(scans)
    )
    listed = {
        name: _read_scans(name, wanted, place)
        for name, wanted in splits.items()
        if isinstance(wanted, str)
    }
    for (one, mine), (other, theirs) in combinations(listed.items(), 2):
        if both := mine & theirs:
            count = f"{len(both)} scan{'s' if len(both) > 1 else ''}"
            raise ValueError(
                f"dataset: splits: {one} and {other} share {count}, the first is "
                f"{min(both)}, expected each scan in one split"
            )
    shares = _shares(splits)
    ends = dict(zip(shares, accumulate(shares.values()), strict=True))
    split_of = {scan: name for name, names in listed.items() for scan in names}
    divided: dict[str, list[str]] = {name: [] for name in splits}
    for scan in scans:
        name = split_of.get(scan) or _choose(scan, by, ends)
        if name:
            divided[name].append(scan)
    return divided


def _shares(splits: Mapping[str, float | str]) -> dict[str, float]:
    return {
        name: wanted for name, wanted in splits.items() if not isinstance(wanted, str)
    }


def _read_scans(name: str, path: str, place: Place) -> set[str]:
    """Return the scans of a split that a file lists."""
    key = f"dataset: splits: {name}"
    split = read_split(path, place, key)
    if split.missing:
        raise ValueError(explain_missing(path, split, place, key))
    return set(split.names)


def _choose(scan: str, by: str, ends: Mapping[str, float]) -> str | None:
    """Return the split that a scan goes to by its name; None for none."""
    hashed = scan.rpartition("/")[0] if by == "drive" else scan
    digest = hashlib.sha256(hashed.encode("utf-8", "surrogateescape")).digest()
    number = int.from_bytes(digest[:6], "big") / 2**48  # exact, and below 1
    return next((name for name, end in ends.items() if number < end), None)
