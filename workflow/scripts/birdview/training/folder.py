"""The folder of a data set: keep its files as they should be, and no others."""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from birdview.files import PathLike, atomic_path

_FOLDERS = "images/", "labels/"
_OURS = (".npy", ".png", ".tiff", ".txt")
"""How names of images and labels end. What else trainers leave there is theirs."""


class DatasetFolder:
    """The folder of a data set.

    Parameters
    ----------
    path : str
    suffix : str
        How the names of its images end.
    splits : mapping of str to sequence of str
        The scans of each split.
    has_labels : bool
        Whether there is a label file for each image.
    """

    def __init__(
        self,
        path: str,
        suffix: str,
        splits: Mapping[str, Sequence[str]],
        has_labels: bool,
    ) -> None:
        self.path, self.suffix, self.splits = path, suffix, splits
        self.has_labels = has_labels
        self._folders: set[str] = set()

    @property
    def members(self) -> Iterator[tuple[str, str]]:
        """The split and the name of each scan."""
        for split, scans in self.splits.items():
            for scan in scans:
                yield split, scan

    def image(self, split: str, scan: str) -> str:
        """Return the path of an image below the folder."""
        return f"images/{split}/{scan}{self.suffix}"

    def label(self, split: str, scan: str) -> str:
        """Return the path of a label file; YOLO finds it by that of the image."""
        return f"labels/{split}/{scan}.txt"

    def write(self, name: str, content: bytes) -> None:
        """Write a file below the folder, unless it has this content already."""
        path = self._make_room(name)
        if name in self._before and Path(path).read_bytes() == content:
            return
        with atomic_path(path) as partial:
            partial.write_bytes(content)

    def link(self, image: PathLike, name: str) -> None:
        """Make a hard link to an image, or a copy where there can be none.

        What is a link to an image that was rendered again since is replaced.
        """
        path, there = self._make_room(name), os.stat(image)
        if name in self._before:
            here = os.stat(path)
            if os.path.samestat(here, there) or _has_time_of(here, there):
                return
        with atomic_path(path) as partial:
            try:
                os.link(image, partial)
            except OSError:  # another disk, or one without links
                shutil.copyfile(image, partial)
                _set_time(partial, there)

    def _make_room(self, name: str) -> str:
        """Return the path of a file, in a folder that exists."""
        path = f"{self.path}/{name}"
        folder = os.path.dirname(path)
        if folder not in self._folders:
            os.makedirs(folder, exist_ok=True)
            self._folders.add(folder)
        return path

    def convert(
        self, image: PathLike, name: str, convert: Callable[[PathLike], bytes]
    ) -> None:
        """Write what is made from an image, unless it was made from it as it is.

        It gets the time of the image, which tells that.
        """
        path, there = self._make_room(name), os.stat(image)
        if name in self._before and _has_time_of(os.stat(path), there):
            return
        with atomic_path(path) as partial:
            partial.write_bytes(convert(image))
            _set_time(partial, there)

    def remove_others(self) -> None:
        """Remove images and labels that do not belong here, and empty folders."""
        wanted = {self.image(*member) for member in self.members}
        if self.has_labels:
            wanted |= {self.label(*member) for member in self.members}
        for name in self._before - wanted:
            if name.startswith(_FOLDERS) and name.endswith(_OURS):
                os.unlink(f"{self.path}/{name}")
        for below in _FOLDERS:
            for parent, _, _ in os.walk(f"{self.path}/{below}", topdown=False):
                with suppress(OSError):  # it is not empty
                    os.rmdir(parent)

    @cached_property
    def _before(self) -> set[str]:
        """The files that were here, by their names below the folder."""
        return {
            f"{parent}/{name}"[len(self.path) + 1 :]
            for parent, _, names in os.walk(self.path)
            for name in names
        }


def _has_time_of(here: os.stat_result, there: os.stat_result) -> bool:
    return here.st_mtime_ns == there.st_mtime_ns


def _set_time(path: PathLike, like: os.stat_result) -> None:
    os.utime(path, ns=(like.st_atime_ns, like.st_mtime_ns))
