"""Read splits: lists of the scans to render.

Such as those of KITTI's benchmarks, or what a script or a spreadsheet has written.
"""

import bisect
import difflib
import posixpath
import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from birdview.files import PathLike

_ABSOLUTE = re.compile(r"/|[A-Za-z][A-Za-z0-9+.-]*://|[A-Za-z]:\\")

_FORMATS = {
    r"(#|//|%)": ", and no comments",
    r"[]\[{}\"]": ", and no quotes or brackets",
    r".*\S[\s,;]+\S": ", and nothing else",
}
"""Patterns of lines in files of other formats, and what is said about these."""

_NEIGHBOURS = 50  # on either side, which are compared with a missing name
_MIN_LIKENESS = 0.6  # of a similar name, as `difflib` suggests


class Place(NamedTuple):
    """Where the scans of a split are.

    Attributes
    ----------
    where : str
        For error messages.
    suffix : str
        How the names of the files end.
    exists : function
        Whether there is a scan with a name.
    below : function
        Returns an absolute path as one below the folder of the scans; None for a path
        that is elsewhere.
    names : function
        Returns the names of all scans, sorted, as far as they are known. It may take
        long.
    """

    where: str
    suffix: str
    exists: Callable[[str], bool]
    below: Callable[[str], str | None]
    names: Callable[[], list[str]]


class Split(NamedTuple):
    """The scans of a split.

    Attributes
    ----------
    names : list of str
        Of the scans that exist, sorted, without repetitions.
    missing : dict of str to int
        The names that do not exist, and the line of each.
    """

    names: list[str]
    missing: dict[str, int]


def read_split(path: PathLike, place: Place, key: str = "split") -> Split:
    """Read a split: a text file with the name of one scan per line.

    A name that exists is taken as it is. Otherwise, blanks around it, the suffix and
    the path of the folder of the scans are removed.

    Parameters
    ----------
    path : path-like
    place : Place
    key : str
        The setting that names the file, for error messages.

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    ValueError
        If it is not a list of names, or has a path that is not below the folder.
    """
    names: set[str] = set()
    missing: dict[str, int] = {}
    for line, number in _read_lines(path, key).items():
        name = next(filter(place.exists, _readings(line, place)), None)
        if name is not None:
            names.add(name)
        elif line.strip():
            _check_path(line, place, f"{key}: {path}, line {number}")
            missing.setdefault(line.strip(), number)
    if not names and not missing:
        raise ValueError(
            f"{key}: nothing in {path}, expected the name of a scan in each line"
        )
    return Split(sorted(names), missing)


def explain_missing(
    path: PathLike, split: Split, place: Place, key: str = "split"
) -> str:
    """Say in one line which scans of a split are missing, and what to do."""
    line, number = next(iter(split.missing.items()))
    names = place.names()
    if not names:
        hint = f"there is no {place.suffix} file"
    elif nearest := find_nearest(line, place.suffix, names):
        hint = f"the nearest name that exists is {nearest}"
    else:
        hint = f"one that exists is {names[0]}"
    count = len(split.missing)
    also = next((text for form, text in _FORMATS.items() if re.match(form, line)), "")
    return (
        f"{key}: {path}: {count} of {count + len(split.names)} scans not found in "
        f"{place.where}, the first in line {number}: {line!r}; {hint}; expected the "
        f"path of a scan below scans in each line, without suffix{also}"
    )


def find_nearest(line: str, suffix: str, names: list[str]) -> str | None:
    """Return the name that a line of a split may mean.

    That is one with the same last part, whatever its case and the zeros in front; or
    else a similar one, among those that would be next to it.

    Parameters
    ----------
    line : str
    suffix : str
    names : list of str
        Of all scans, sorted.
    """
    words = re.split(r"[\s/\\,;:\"'\[\](){}#]+", line)
    words = [word.removesuffix(suffix) for word in words if word]
    wanted = {_simplify(word) for word in words[-1:]}
    alike = [name for name in names if _simplify(name.rpartition("/")[2]) in wanted]
    if alike:
        return max(alike, key=lambda name: len({*words} & {*name.split("/")}))
    here = bisect.bisect(names, line.removesuffix(suffix))
    matcher = difflib.SequenceMatcher(b=line.removesuffix(suffix), autojunk=False)

    def likeness(index: int) -> tuple[float, int]:
        matcher.set_seq1(names[index])
        return matcher.ratio(), -abs(index - here)

    start = max(0, here - _NEIGHBOURS)
    best = max(range(start, len(names))[: 2 * _NEIGHBOURS], key=likeness)
    return names[best] if likeness(best)[0] >= _MIN_LIKENESS else None


def _simplify(word: str) -> str:
    is_number = re.fullmatch("[0-9]+", word)
    return (word.lstrip("0") or "0") if is_number else word.casefold()


def _read_lines(path: PathLike, key: str) -> dict[str, int]:
    """Return the lines of a text, without repetitions, and the number of each."""
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(
            f"{key}: no file {path}, expected one with the name of a scan in each line"
        ) from None
    is_utf16 = content.startswith((BOM_UTF16_BE, BOM_UTF16_LE))
    try:
        text = content.decode("utf-16" if is_utf16 else "utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise ValueError(
            f"{key}: {path} is neither UTF-8 text nor UTF-16 with a byte order mark, "
            f"expected names of scans: save it as UTF-8"
        )
    numbers: dict[str, int] = {}
    for number, line in enumerate(re.split("\r\n|\r|\n", text), 1):
        numbers.setdefault(line, number)
    return numbers


def _readings(line: str, place: Place) -> Iterator[str]:
    """Yield the names that a line may stand for, the most literal one first."""
    for text in dict.fromkeys((line, line.rstrip(), line.strip())):
        path = place.below(text) if _ABSOLUTE.match(text) else text
        if not path or ".." in path.split("/"):
            continue
        path = posixpath.normpath(path)
        yield path
        if path.endswith(place.suffix):
            yield path.removesuffix(place.suffix)


def _check_path(line: str, place: Place, key: str) -> None:
    """Raise ValueError at a path that is not below the folder of the scans."""
    text = line.strip()
    if _ABSOLUTE.match(text) and place.below(text) is None:
        names = place.names()
        name = names and (find_nearest(text, place.suffix, names) or names[0])
        such_as = f", such as {name}" if name else ""
        raise ValueError(
            f"{key}: {line!r} is not in {place.where}, expected the path of a scan "
            f"below scans, without suffix{such_as}"
        )
    if ".." in text.split("/"):
        raise ValueError(
            f"{key}: {line!r}, expected the path of a scan below scans, without suffix"
        )
