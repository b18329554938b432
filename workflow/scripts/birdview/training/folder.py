"""A folder whose files are kept as they should be, such as that of a data set."""

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from birdview.files import PathLike, atomic_path


class KeptFolder:
    """A folder that is brought up to date: what is right in it stays as it is.

    Threads may share it.

    Parameters
    ----------
    path : path-like
    """

    def __init__(self, path: PathLike) -> None:
        self.path = os.fspath(path)
        # The names below the folder of the files that were here, and that are kept.
        self._before = {
            f"{parent}/{name}"[len(self.path) + 1 :]
            for parent, _, names in os.walk(self.path)
            for name in names
        }
        self._kept: set[str] = set()
        self._folders: set[str] = set()

    def write(self, name: str, content: bytes) -> None:
        """Write a file below the folder, unless it has this content already."""
        path = self._keep(name)
        if name in self._before and Path(path).read_bytes() == content:
            return
        with atomic_path(path) as partial:
            partial.write_bytes(content)

    def link(self, image: PathLike, name: str) -> None:
        """Make a hard link to an image, or a copy where there can be none.

        What is a link to an image that was rendered again since is replaced.
        """
        path, there = self._keep(name), os.stat(image)
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

    def convert(
        self, image: PathLike, name: str, convert: Callable[[PathLike], bytes]
    ) -> None:
        """Write what is made from an image, unless it was made from it as it is.

        It gets the time of the image, which tells that.
        """
        path, there = self._keep(name), os.stat(image)
        if name in self._before and _has_time_of(os.stat(path), there):
            return
        with atomic_path(path) as partial:
            partial.write_bytes(convert(image))
            _set_time(partial, there)

    def remove_others(self, is_ours: Callable[[str], bool]) -> None:
        """Remove files that are not kept, and empty folders.

        Parameters
        ----------
        is_ours : function
            Whether a file may be removed, by its name below the folder.
        """
        for name in filter(is_ours, self._before - self._kept):
            os.unlink(f"{self.path}/{name}")
        for parent, _, _ in os.walk(self.path, topdown=False):
            with suppress(OSError):  # it is not empty
                os.rmdir(parent)

    def _keep(self, name: str) -> str:
        """Return the path of a file that is kept, in a folder that exists."""
        self._kept.add(name)
        path = f"{self.path}/{name}"
        folder = os.path.dirname(path)
        if folder not in self._folders:
            os.makedirs(folder, exist_ok=True)
            self._folders.add(folder)
        return path


def _has_time_of(here: os.stat_result, there: os.stat_result) -> bool:
    return here.st_mtime_ns == there.st_mtime_ns


def _set_time(path: PathLike, like: os.stat_result) -> None:
    os.utime(path, ns=(like.st_atime_ns, like.st_mtime_ns))
