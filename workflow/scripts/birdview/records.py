"""Record what files were like when they were looked at, to see what has changed."""

import hashlib
import json
import os
from collections.abc import Container, Iterable, Mapping, Set
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from birdview.files import PathLike, write_atomically

State: TypeAlias = list[Any]
"""What differs if a file has changed: its size, its time and that of its last change in
the file system, in nanoseconds; or the ETag of an object."""


def state_of(path: PathLike) -> State | None:
    """Return the state of a file; None if there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns]


class Known(NamedTuple):
    """What is known of a scan and its images.

    Attributes
    ----------
    state : State
        Of everything that its images are made of.
    digest : str
        The SHA-256 of the scan that was in this state, with those around it.
    images : dict of str to State
        Of the images that were made from it, by encoding.
    texts : dict of str to dict of str to str
        What the text of images says that are not on this machine, by encoding.
    conditions : str
        The digest of the conditions that the images were made under.
    labels : str
        The SHA-256 of the labels of its points; empty if no image shows classes.
    """

    state: State
    digest: str
    images: dict[str, State]
    texts: dict[str, dict[str, str]]
    conditions: str = ""
    labels: str = ""


class Records:
    """What is known of scans, batch by batch, in a folder with a file for each.

    Parameters
    ----------
    folder : path-like
    recipes : mapping of str to str
        The digest of the recipe of each encoding: images of another are not known.
    """

    def __init__(self, folder: PathLike, recipes: Mapping[str, str]) -> None:
        self._folder, self._recipes = Path(folder), dict(recipes)

    def load(self, batch: str, scans: Iterable[str]) -> dict[str, Known]:
        """Return what is known of the scans of a batch, by name.

        If it has no record, as after scans were added or with another size of batches,
        what the records of others say.
        """
        own = self._read(self._path(batch))
        known = self._all if own is None else own
        return {scan: known[scan] for scan in scans if scan in known}

    def save(self, batch: str, known: Mapping[str, Known]) -> None:
        """Write the record of a batch."""
        self._folder.mkdir(parents=True, exist_ok=True)
        content = {"recipes": self._recipes, "scans": known}
        text = json.dumps(content, separators=(",", ":"))
        write_atomically(self._path(batch), text.encode())

    def digest(self, batches: Iterable[str]) -> str:
        """Return what differs if one of these records was written again."""
        states = {batch: state_of(self._path(batch)) for batch in batches}
        return hashlib.sha256(json.dumps([self._recipes, states]).encode()).hexdigest()

    def discard_others(self, batches: Container[str], scans: Set[str]) -> list[str]:
        """Remove the records of other batches of these encodings and some scans.

        Returns
        -------
        list of str
            Those batches.
        """
        removed = []
        for path in self._folder.glob("*.json"):
            if path.stem in batches:
                continue
            content = _parse(path)
            if content is None or (
                content["recipes"].keys() <= self._recipes.keys()
                and content["scans"].keys() <= scans
            ):
                path.unlink(missing_ok=True)
                removed.append(path.stem)
        return removed

    def _path(self, batch: str) -> Path:
        return self._folder / f"{batch}.json"

    def _read(self, path: Path) -> dict[str, Known] | None:
        content = _parse(path)
        if content is None:
            return None
        recipes = content["recipes"]
        current = {
            name
            for name, recipe in self._recipes.items()
            if recipes.get(name) == recipe
        }
        known: dict[str, Known] = content["scans"]
        if current != recipes.keys():
            for one in known.values():
                for name in one.images.keys() - current:
                    del one.images[name]
        return known

    @cached_property
    def _all(self) -> dict[str, Known]:
        """What all records know; of a scan in several, the newest."""
        together: dict[str, Known] = {}
        for path in sorted(self._folder.glob("*.json"), key=_time_of):
            together |= self._read(path) or {}
        return together


def _time_of(path: Path) -> int:
    state = state_of(path)
    return int(state[1]) if state else 0


def _parse(path: Path) -> dict[str, Any] | None:
    """Return the content of a record; None if it is missing or not one."""
    try:
        content = json.loads(path.read_bytes())
        known = {scan: Known(*entry) for scan, entry in content["scans"].items()}
        return {"recipes": dict(content["recipes"]), "scans": known}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
