"""List the files of a folder, and choose those to read."""

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, TypeVar

from birdview.files import PathLike
from birdview.inspect.tables import format_of
from birdview.pixels.kinds import (
    HEAD,
    Kind,
    recognise,
    recognise_folder,
    recognise_suffix,
)
from birdview.search import LEFT_OUT_FOLDERS

MAX_SCANS = 32
"""Files that are read, at most."""
_HEADS = 48  # files of a group whose first bytes are read
_MAX_GROUPS = 24
_DOUBLE = {".pcd", ".bin", ".ply", ".las", ".npy", ".tar", ".csv", ".txt"}
"""Suffixes that may have another one behind them, as in .pcd.bin and .bin.gz."""

T = TypeVar("T")


class Group(NamedTuple):
    """Files with the same suffix, in folders of the same name.

    Attributes
    ----------
    folder : str
        The name of the folders; empty for the folder itself, ``*`` for many names.
    suffix : str
    paths : list of str
        Sorted, below the folder that was listed.
    kind : Kind or None
        What the files are if they are no records, by their first bytes.
    place : Kind or None
        What they are by the names of their folders, if these are known.
    """

    folder: str
    suffix: str
    paths: list[str]
    kind: Kind | None
    place: Kind | None

    @property
    def may_be_scans(self) -> bool:
        """Whether neither first bytes nor suffix are those of another kind of file."""
        return (
            self.kind is None
            and self.suffix != ""
            and recognise_suffix(self.suffix) is None
        )

    @property
    def format(self) -> str:
        """The format of files that say what they hold; empty for others."""
        return format_of(self.kind)

    @property
    def pattern(self) -> str:
        """What `match` must be to choose these files."""
        if self.folder == "*":
            return f"**/*{self.suffix}"
        return f"**/{self.folder}/*{self.suffix}" if self.folder else f"*{self.suffix}"

    @property
    def name(self) -> str:
        """The pattern, without its depth."""
        return self.pattern.removeprefix("**/")


def list_groups(folder: PathLike, skip: PathLike | None = None) -> list[Group]:
    """List the files in a folder and its sub-folders, those of most files first.

    Parameters
    ----------
    folder : path-like
    skip : path-like, optional
        A folder below that does not count: the results.

    Returns
    -------
    list of Group

    Raises
    ------
    OSError
        If a folder cannot be read.
    """
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for below, names in _walk(folder, os.path.realpath(skip) if skip else None):
        leaf = below.rpartition("/")[2]
        prefix = f"{below}/" if below else ""
        for name in names:
            found[leaf, suffix_of(name)].append(prefix + name)
    groups = []
    for suffix in {suffix for _, suffix in found}:
        of_suffix = {leaf: paths for (leaf, s), paths in found.items() if s == suffix}
        if len(of_suffix) > _MAX_GROUPS:
            of_suffix = {"*": [path for paths in of_suffix.values() for path in paths]}
        for leaf, paths in of_suffix.items():
            paths.sort()
            place = _place_of(folder, paths[0])
            for kind, some in _divide(folder, paths).items():
                groups.append(Group(leaf, suffix, some, kind, place))
    return sorted(groups, key=lambda group: (-len(group.paths), group.pattern))


def _walk(folder: PathLike, skip: str | None) -> Iterator[tuple[str, list[str]]]:
    """Yield each folder's path below the first, and the names of its files."""
    waiting = [("", {os.path.realpath(folder)})]
    while waiting:
        below, above = waiting.pop()
        names = []
        with _scan(os.path.join(folder, below)) as entries:
            for entry in entries:
                if not entry.is_dir():
                    names.append(entry.name)
                    continue
                real = os.path.realpath(entry.path)
                is_left_out = entry.name.lower() in LEFT_OUT_FOLDERS
                if real == skip or real in above or is_left_out:
                    continue
                if not entry.name.startswith("."):
                    path = f"{below}/{entry.name}" if below else entry.name
                    waiting.append((path, above | {real}))
        yield below, [name for name in names if not name.startswith(".")]


def _scan(folder: PathLike) -> AbstractContextManager[Iterator[os.DirEntry[str]]]:
    try:
        return os.scandir(folder)
    except OSError as error:
        raise type(error)(
            f"scans: {folder}: {error.strerror}, expected a folder that can be read"
        ) from None


def suffix_of(name: str) -> str:
    """Return how a file's name ends, such as .bin or .pcd.bin; empty if it has none."""
    # Many times as fast as pathlib, for as many names.
    stem, dot, last = name.rpartition(".")
    _, _, before = stem.rpartition(".")
    if f".{before.lower()}" in _DOUBLE and before != stem:
        return f".{before}.{last}"
    return f".{last}" if dot and stem else ""


def _place_of(folder: PathLike, path: str) -> Kind | None:
    if "/" in path:
        return recognise_folder(path)
    return recognise_folder(f"{os.path.basename(os.path.abspath(folder))}/{path}")


def _divide(folder: PathLike, paths: list[str]) -> dict[Kind | None, list[str]]:
    """Divide files by their first bytes; many files are what most of some are."""
    kinds: defaultdict[Kind | None, list[str]] = defaultdict(list)
    for path in spread(paths, _HEADS):
        try:
            with open(os.path.join(folder, path), "rb") as file:
                kinds[recognise(file.read(HEAD))].append(path)
        except OSError:
            kinds[None].append(path)
    if len(paths) <= _HEADS:
        return kinds
    return {max(kinds, key=lambda kind: len(kinds[kind])): paths}


def spread(items: Sequence[T], count: int) -> list[T]:
    """Return at most so many items, evenly spaced, with the first and the last."""
    if len(items) <= count:
        return list(items)
    if count == 1:
        return [items[0]]
    return [items[round(k * (len(items) - 1) / (count - 1))] for k in range(count)]


def choose_files(groups: Sequence[Group], count: int = MAX_SCANS) -> list[list[str]]:
    """Choose files of each group: the same number, if there are as many.

    Returns
    -------
    list of list of str
        The paths of each group.
    """
    shares = [0] * len(groups)
    while sum(shares) < count:
        open_groups = [
            number
            for number, group in enumerate(groups)
            if shares[number] < len(group.paths)
        ]
        if not open_groups:
            break
        for number in open_groups[: count - sum(shares)]:
            shares[number] += 1
    return [
        spread(group.paths, share) for group, share in zip(groups, shares, strict=True)
    ]
