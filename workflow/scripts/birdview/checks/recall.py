"""Recall the doubts of the last run, if its images are those of this one."""

import json
from collections.abc import Container
from pathlib import Path

from birdview.checks.images import read_tables
from birdview.checks.plausibility import Warned
from birdview.files import PathLike, write_atomically
from birdview.provenance import digest_modules
from birdview.records import state_of


class Recall:
    """Whether the table of warnings is about some images.

    To judge 400,000 images takes half a minute, to read the table no time.

    Parameters
    ----------
    path : path-like
        The file that says what the table was about.
    tables : path-like
        The folder of the table.
    images : str
        What differs if an image has changed.
    """

    def __init__(self, path: PathLike, tables: PathLike, images: str) -> None:
        self._path, self._tables, self._images = Path(path), Path(tables), images

    def read(self, scans: Container[str]) -> list[Warned] | None:
        """Return the warnings about some scans; None if they have to be found again."""
        try:
            if json.loads(self._path.read_bytes()) != self._now():
                return None
        except (OSError, ValueError):
            return None
        return read_tables(self._tables, scans)[1]

    def write(self) -> None:
        """Record that the table is about the images as they are."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self._path, json.dumps(self._now()).encode())

    def _now(self) -> list[object]:
        code = digest_modules("birdview.checks.images")
        return [self._images, code, state_of(self._tables / "warnings.tsv")]
