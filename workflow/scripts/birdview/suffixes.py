"""The suffixes of files that a search for scans comes across, and what they mean."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from birdview import paths
from birdview.pixels.kinds import Kind
from birdview.pixels.layout import load_layout

_SUFFIX = re.compile(
    r"((\.[a-z]\w*)?\.(bin|gz|bz2|xz|zst)|\.\w{1,12}|)\Z", re.IGNORECASE
)

_COMPANIONS = {
    *("", ".calib", ".html", ".jpeg", ".jpg", ".json", ".label", ".log", ".md"),
    *(".pdf", ".png", ".py", ".sh", ".tsv", ".txt", ".xml", ".yaml", ".yml"),
}
"""Suffixes, in lower case, of what lies beside scans: it is only counted."""

_SCANS = (
    *(".bin", ".csv", ".feather", ".las", ".laz", ".npy", ".npz", ".pcd", ".ply"),
    ".xyz",
)
"""Suffixes, in lower case, of files that may be scans if they lie beside scans."""

_NAMED = 3  # suffixes, in a message


class Files(NamedTuple):
    """The files with a suffix.

    Attributes
    ----------
    number : int
    first : str
        A path below the folder of the scans, the first in the order of paths.
    """

    number: int
    first: str


def count_by_suffix(paths: Iterable[str]) -> dict[str, Files]:
    """Count files by the suffixes of their names, such as ``.pcd.bin``."""
    found: dict[str, Files] = {}
    for path in paths:
        suffix = find_suffix(path.rpartition("/")[2])
        count, first = found.get(suffix, Files(0, path))
        found[suffix] = Files(count + 1, min(first, path))
    return found


def find_suffix(name: str) -> str:
    """Return the suffix of a file's name; empty if there is none."""
    found = _SUFFIX.search(name, 1)
    assert found is not None
    return found[0]


def count_unread(names: list[str], suffix: str) -> dict[str, int]:
    """Count the files of a folder that may be scans, but have another suffix.

    Parameters
    ----------
    names : list of str
        All files of the folder.
    suffix : str
        That of the scans which are read.
    """
    # Counting in one text is several times as fast as looking at each name.
    text = f"/{'/'.join(names)}/"
    others = {suffix.swapcase()} - {suffix}
    counts = _count_ends(text, others) | _count_ends(
        text.lower(),
        (other for other in _SCANS if not suffix.lower().endswith(other)),
    )
    if counts and "/." in text:
        return count_unread([name for name in names if name[:1] != "."], suffix)
    return counts


def _count_ends(text: str, suffixes: Iterable[str]) -> dict[str, int]:
    # That a single letter does not occur is found many times as fast.
    possible = (one for one in suffixes if all(letter in text for letter in one))
    counts = {one: text.count(f"{one}/") for one in possible}
    return {one: count for one, count in counts.items() if count}


def explain(
    found: Mapping[str, Files],
    suffix: str,
    recognise: Callable[[str, str], Kind | None],
    verb: str,
) -> str:
    """Say which files there are instead of scans, and what reads them.

    Parameters
    ----------
    found : dict of str to Files
        By suffix.
    suffix : str
        That of the scans, which no file has.
    recognise : function
        Returns what a file is, by its path and its suffix.
    verb : str
        How sure that is: ``is``.

    Returns
    -------
    str
        Empty if there are no files.
    """
    order = sorted(
        found, key=lambda one: (one.lower() in _COMPANIONS, -found[one].number, one)
    )
    texts = []
    for one in order[:_NAMED]:
        count, first = found[one]
        text = f"{count} {one or 'without suffix'}"
        if one.lower() not in _COMPANIONS:
            kind = recognise(first, one)
            text += f" ({_advise(first, one, suffix, kind, verb)})"
        texts.append(text)
    more = sum(found[one].number for one in order[_NAMED:])
    if more:
        texts.append(f"{more} more")
    return " and ".join([", ".join(texts[:-1])] * (len(texts) > 1) + texts[-1:])


def _advise(first: str, found: str, wanted: str, kind: Kind | None, verb: str) -> str:
    if kind:
        path = first if first.isprintable() else repr(first)
        return f"{path} {verb} {kind.name}: {kind.advise(found)}"
    if found.lower() == wanted.lower():
        return f"set `suffix: {found}`"
    layouts = (load_layout(file.stem) for file in sorted(paths.LAYOUTS.glob("*.yaml")))
    names = [layout.name for layout in layouts if layout.suffix == found]
    if names:
        example = "kitti" if "kitti" in names else names[0]
        return f"set `suffix: {found}`, or a layout with it, such as {example}"
    return f"set `suffix: {found}` if they hold records"
