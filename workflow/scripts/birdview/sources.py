"""Where the scans of a run come from: the demo, a folder or a bucket."""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import cache, cached_property
from pathlib import PurePath
from typing import Any, Protocol

from birdview import bucket
from birdview.files import PathLike
from birdview.records import State, state_of
from birdview.search import (
    FoundScans,
    Ignored,
    check_folder,
    find_names,
    find_scans,
    list_scans,
)
from birdview.splits import Place, explain_missing, read_split


class Source(Protocol):
    """Where the scans of a run come from.

    Attributes
    ----------
    is_remote : bool
        Whether Snakemake has to fetch the files.
    is_simulated : bool
        Whether the workflow makes the files.
    place : Place
        Where the scans are, for reading lists of them.
    """

    is_remote: bool
    is_simulated: bool

    @property
    def place(self) -> Place:
        """Where the scans are."""

    def find(self) -> FoundScans:
        """Find the scans; raise OSError or ValueError if there are none."""

    def file(self, scan: str) -> str:
        """Return the path or the address of a scan's file."""

    def has(self, scan: str) -> bool:
        """Whether there is a scan of a name."""

    def is_readable(self, scan: str) -> bool:
        """Whether the file can be an input: an unreadable one would stop Snakemake."""

    def state(self, scan: str) -> State | None:
        """Return what differs if the file has changed; None if there is none."""

    def open_files(
        self, scans: Iterable[str], kept: int = 1
    ) -> AbstractContextManager[Iterator[str]]:
        """Yield a path of each scan's file, which can be read until `kept` others."""


class Demo:
    """The scans of a simulated drive: see `birdview.demo`.

    Their names start with ``demo/``, which those of a user's scans must not.

    Parameters
    ----------
    count : int
    results : str
        The folder that holds theirs.
    split : path-like, optional
        A list of the scans, for `read_split`.
    """

    is_remote, is_simulated = False, True

    def __init__(self, count: int, results: str, split: PathLike | None = None) -> None:
        self._count = count
        self._results, self._split = results, split

    def find(self) -> FoundScans:
        if self._split is None:
            return FoundScans(self._list_names(), {}, Ignored([], [], {}))
        split = read_split(self._split, self.place)
        for name in split.missing:
            self.file(name)
        return FoundScans(split.names, {}, Ignored([], [], {}))

    @property
    def place(self) -> Place:
        return Place("the demo", ".bin", _is_demo, lambda path: None, self._list_names)

    def _list_names(self) -> list[str]:
        return [f"demo/{number:06}" for number in range(self._count)]

    @cached_property
    def _names(self) -> set[str]:
        return {*self._list_names()}

    def file(self, scan: str) -> str:
        if not _is_demo(scan):
            raise ValueError(
                f"scans: null, but {scan} is not a scan of the demo, such as "
                f"demo/000000: expected the folder of the scans"
            )
        return f"{self._results}/{scan}.bin"

    def has(self, scan: str) -> bool:
        return scan in self._names

    def is_readable(self, scan: str) -> bool:
        return True

    def state(self, scan: str) -> State | None:
        return state_of(self.file(scan))

    def open_files(
        self, scans: Iterable[str], kept: int = 1
    ) -> AbstractContextManager[Iterator[str]]:
        return nullcontext(map(self.file, scans))


def _is_demo(scan: str) -> bool:
    return re.fullmatch("demo/[0-9]+", scan) is not None


def _find_split(path: PathLike, place: Place) -> FoundScans:
    """Return the scans of a split; raise ValueError if none exists."""
    split = read_split(path, place)
    missing = {}
    if split.missing:
        first = next(iter(split.missing))
        missing[first] = explain_missing(path, split, place)
        if not split.names:
            raise ValueError(missing[first])
    return FoundScans(split.names, missing, Ignored([], [], {}))


class Folder:
    """The scans in a folder and its sub-folders.

    Parameters
    ----------
    folder : str
    suffix : str
        How the names of the files end.
    split : path-like, optional
        A list of the scans, for `read_split`; then the folder is not searched.
    skip : path-like, optional
        A folder below, whose files are not the user's scans: the demo's.
    match : str or list of str, optional
        Patterns of paths below the folder, if there is no split.
    """

    is_remote, is_simulated = False, False

    def __init__(
        self,
        folder: str,
        suffix: str = ".bin",
        split: PathLike | None = None,
        skip: PathLike | None = None,
        match: str | list[str] | None = None,
    ) -> None:
        self._folder, self._suffix = folder, suffix
        self._split, self._skip, self._match = split, skip, match

    def find(self) -> FoundScans:
        if self._split is None:
            return find_scans(self._folder, self._suffix, self._match, self._skip)
        check_folder(self._folder)
        return _find_split(self._split, self.place)

    @property
    def place(self) -> Place:
        where = os.path.abspath(self._folder)
        real_path = cache(os.path.realpath)

        def below(path: str) -> str | None:
            for folder in PurePath(path).parents:  # maybe the same through links
                if real_path(folder) == real_path(where):
                    return PurePath(path).relative_to(folder).as_posix()
            return None

        return Place(
            where,
            self._suffix,
            self.has,
            below,
            lambda: list_scans(self._folder, self._suffix, self._skip),
        )

    def file(self, scan: str) -> str:
        return f"{self._folder}/{scan}{self._suffix}"

    def has(self, scan: str) -> bool:
        return os.path.lexists(self.file(scan))

    def is_readable(self, scan: str) -> bool:
        return os.access(self.file(scan), os.R_OK)

    def state(self, scan: str) -> State | None:
        return state_of(self.file(scan))

    def open_files(
        self, scans: Iterable[str], kept: int = 1
    ) -> AbstractContextManager[Iterator[str]]:
        return nullcontext(map(self.file, scans))


class Bucket:
    """The scans below a path of object storage.

    Parameters
    ----------
    folder : StorageObject of snakemake-storage-plugin-s3
    suffix : str
        How the names of the objects end.
    split : path-like, optional
        A list of the scans, for `read_split`.
    match : str or list of str, optional
        Patterns of paths below the folder, if there is no split.
    """

    is_remote, is_simulated = True, False

    def __init__(
        self,
        folder: Any,
        suffix: str,
        split: PathLike | None,
        match: str | list[str] | None = None,
    ) -> None:
        self.folder, self._suffix = folder, suffix
        self._split, self._match = split, match

    @cached_property
    def _etags(self) -> dict[str, str]:
        return bucket.find_objects(self.folder)

    def find(self) -> FoundScans:
        where = self.folder.query
        if self._split is None:
            return find_names([*self._etags], self._suffix, self._match, where)
        return _find_split(self._split, self.place)

    @property
    def place(self) -> Place:
        where = self.folder.query

        def list_names() -> list[str]:
            paths = [path for path in self._etags if path.endswith(self._suffix)]
            return find_names(paths, self._suffix, None, where).names if paths else []

        def below(path: str) -> str | None:
            start = f"{where}/"
            return path.removeprefix(start) if path.startswith(start) else None

        return Place(
            where,
            self._suffix,
            self.has,
            below,
            list_names,
        )

    def file(self, scan: str) -> str:
        return f"{self.folder.query}/{scan}{self._suffix}"

    def has(self, scan: str) -> bool:
        return f"{scan}{self._suffix}" in self._etags

    def is_readable(self, scan: str) -> bool:
        return True

    def state(self, scan: str) -> State | None:
        etag = self._etags.get(f"{scan}{self._suffix}")
        return None if etag is None else [etag]

    def open_files(
        self, scans: Iterable[str], kept: int = 1
    ) -> AbstractContextManager[Iterator[str]]:
        names = (f"{scan}{self._suffix}" for scan in scans)
        return bucket.fetch(self.folder, names, kept)
