"""Where the images of a run go: a folder or a bucket."""

import contextlib
import os
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from typing import Any, Protocol

from birdview import bucket
from birdview.files import write_atomically
from birdview.image import read_whole_text
from birdview.records import State, state_of


class Store(Protocol):
    """Where the images of a run go, by their paths in the folder of the run.

    Attributes
    ----------
    is_remote : bool
        Whether an image cannot be read there without being copied.
    """

    is_remote: bool

    def state(self, path: str) -> State | None:
        """Return what differs if an image has changed; None if there is none."""

    def read_text(self, path: str) -> dict[str, str]:
        """Return the text of an image; nothing if it is missing or not whole."""

    def write(self, path: str, content: bytes) -> "Future[None] | None":
        """Write an image, or begin to: then return what ends when it is written."""

    def remove(self, path: str) -> None:
        """Remove an image, if it exists."""


class Folder:
    """Images in a folder."""

    is_remote = False

    def state(self, path: str) -> State | None:
        return state_of(path)

    def read_text(self, path: str) -> dict[str, str]:
        try:
            return read_whole_text(path)
        except (OSError, ValueError):
            return {}

    def write(self, path: str, content: bytes) -> None:
        try:
            write_atomically(path, content)
        except FileNotFoundError:  # the first image in its folder
            os.makedirs(os.path.dirname(path), exist_ok=True)
            write_atomically(path, content)

    def remove(self, path: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


class Bucket:
    """Images in object storage.

    Parameters
    ----------
    folder : StorageObject of snakemake-storage-plugin-s3
    results : str
        The folder of the images that is there instead of here.
    """

    is_remote = True

    def __init__(self, folder: Any, results: str) -> None:
        self._folder, self._start = folder, f"{results}/"

    @cached_property
    def _etags(self) -> dict[str, str]:
        return bucket.find_objects(self._folder, "default-storage-prefix")

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(bucket.THREADS)

    def state(self, path: str) -> State | None:
        etag = self._etags.get(self._name(path))
        return None if etag is None else [etag]

    def read_text(self, path: str) -> dict[str, str]:
        return {}  # rendering an image again takes no longer than copying it from there

    def write(self, path: str, content: bytes) -> "Future[None]":
        name = self._name(path)

        def put() -> None:
            self._etags[name] = bucket.put(self._folder, name, content)

        self._etags.pop(name, None)
        return self._pool.submit(put)

    def remove(self, path: str) -> None:
        name = self._name(path)
        if self._etags.pop(name, None):
            bucket.remove(self._folder, name)

    def _name(self, path: str) -> str:
        return path.removeprefix(self._start)
