"""What is known of a folder of scans: of which bag, and whether all are there."""

import json
import os
import re
from typing import Any, NamedTuple, Self

from birdview.files import PathLike, write_atomically
from birdview.records import State, state_of

_SCAN = re.compile(r"\d{19}\.bin")


class Record(NamedTuple):
    """What was unpacked to a folder.

    Attributes
    ----------
    bag : str
        Its absolute path.
    topic : str
    states : dict of str to State
        Of the bag's files, by their names.
    code : str
        The digest of the code that unpacked it.
    layout : str
        The yaml that was written; empty if none was.
    sizes : dict of str to int, or None
        Of all scans, by the names of their files; None if it is not finished.
    """

    bag: str
    topic: str
    states: dict[str, State]
    code: str
    layout: str = ""
    sizes: dict[str, int] | None = None

    @classmethod
    def read(cls, path: PathLike) -> Self | None:
        """Return the record of a file; None if there is none that can be read."""
        try:
            with open(path, encoding="utf-8") as file:
                return cls(**json.load(file))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, path: PathLike) -> None:
        """Write it to a file."""
        write_atomically(path, json.dumps(self._asdict()).encode())

    def is_of(self, other: "Record") -> bool:
        """Whether both are of the same topic of the same bag, which may have moved."""
        if self.topic != other.topic:
            return False
        return self.bag == other.bag or _contents(self) == _contents(other)

    def is_finished(self, other: "Record", scans: PathLike) -> bool:
        """Whether all scans are there, from a bag that is still the same.

        Parameters
        ----------
        other : Record
            Of now.
        scans : path-like
            The folder of the scans.
        """
        is_same = (self.topic, self.states, self.code) == other[1:4]
        return is_same and self.sizes == list_scans(scans)


def _contents(record: Record) -> Any:
    """Return the sizes and times of the bag's files, which a move keeps."""
    return {name: state[:2] for name, state in record.states.items()}


def states_of(bag: PathLike) -> dict[str, State]:
    """Return the states of a bag's files, by their names.

    Raises
    ------
    OSError
        If its folder cannot be read.
    """
    if os.path.isdir(bag):
        files = {name: os.path.join(bag, name) for name in sorted(os.listdir(bag))}
    else:
        files = {os.path.basename(bag): os.fspath(bag)}
    states = {name: state_of(path) for name, path in files.items()}
    return {name: state for name, state in states.items() if state}


def list_scans(folder: PathLike) -> dict[str, int]:
    """Return the sizes of the scans in a folder, by the names of their files."""
    try:
        with os.scandir(folder) as found:
            scans = [one for one in found if _SCAN.fullmatch(one.name)]
            return {one.name: one.stat().st_size for one in scans}
    except FileNotFoundError:
        return {}
