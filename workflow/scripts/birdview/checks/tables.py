"""Keep tables of what a run found, which several runs may write at once."""

import fcntl
import os
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from birdview.files import PathLike, format_table, write_atomically


def update_table(
    path: PathLike,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    is_ours: Callable[[dict[str, str]], bool],
    since: int,
) -> None:
    """Write the rows of a run, and keep those of runs that were there at the same time.

    Parameters
    ----------
    path : path-like
        A tab-separated table.
    columns : sequence of str
    rows : iterable of sequence of str
        What this run found; all that it found before is replaced.
    is_ours : function
        Whether a row of the table is about something that this run has looked at.
    since : int
        The start of this run in nanoseconds. If the table is older, nothing is kept.

    Raises
    ------
    OSError
        If the table cannot be written.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path.parent / ".tables.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        kept = [
            [row[column] for column in columns]
            for row in read_rows(path, columns, since)
            if not is_ours(row)
        ]
        table = format_table(columns, [*kept, *map(_as_one_line, rows)])
        write_atomically(path, table.encode(errors="surrogateescape"))


def read_rows(
    path: PathLike, columns: Sequence[str], since: int = 0
) -> list[dict[str, str]]:
    """Return the rows of a table, none if it is missing, other or older than a time."""
    try:
        if os.stat(path).st_mtime_ns < since:
            return []
        text = Path(path).read_text(encoding="utf-8", errors="surrogateescape")
    except FileNotFoundError:
        return []
    header, *lines, _ = [*text.split("\n"), ""]
    if header.split("\t") != list(columns):
        return []  # of another version
    return [dict(zip(columns, line.split("\t"), strict=True)) for line in lines if line]


def _as_one_line(row: Sequence[str]) -> list[str]:
    return [re.sub(r"[\t\n\r]", " ", word) for word in row]
