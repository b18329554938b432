"""Write files atomically; read and write tab-separated tables."""

import os
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeAlias

PathLike: TypeAlias = str | os.PathLike[str]


@contextmanager
def atomic_path(path: PathLike) -> Iterator[Path]:
    """Yield a temporary path in the same folder; rename it to `path` on success.

    On failure the temporary file is removed and `path` stays as it was.

    Raises
    ------
    OSError
        If the file cannot be written; the error names `path`, not the temporary file.
    """
    # A short name, because that of `path` may be as long as names can be.
    partial = Path(path).parent / f".{os.getpid()}-{threading.get_ident()}.partial"
    try:
        yield partial
        os.replace(partial, path)
    except BaseException as error:
        partial.unlink(missing_ok=True)
        # The error of a full disk has no file name.
        if (
            not isinstance(error, OSError)
            or error.errno is None
            or error.filename not in (None, str(partial))
        ):
            raise
        raise OSError(error.errno, error.strerror, str(path)) from None


def write_atomically(path: PathLike, content: bytes | memoryview) -> None:
    """Write a file so that it never exists half-written; see `atomic_path`."""
    with atomic_path(path) as partial:
        partial.write_bytes(content)


def write_if_changed(path: PathLike, content: str) -> None:
    """Write a text file, and its folder, unless it has this content.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    path = Path(path)
    with suppress(OSError):
        if path.read_text("utf-8") == content:
            return
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, content.encode())


def remove_abandoned(folder: PathLike, since: int) -> None:
    """Remove temporary files in a folder and below, which a killed process has left.

    Parameters
    ----------
    folder : path-like
    since : int
        A time in nanoseconds: files that were written later may be in use.
    """
    for parent, _, names in os.walk(folder):
        for name in names:
            if not (name.startswith(".") and name.endswith(".partial")):
                continue
            path = os.path.join(parent, name)
            with suppress(OSError):  # its process may be alive, and rename it now
                if os.stat(path).st_mtime_ns < since:
                    os.unlink(path)


def remove_empty(folder: PathLike) -> None:
    """Remove empty files in a folder and below."""
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            with suppress(OSError):  # another run may remove it as well
                if os.stat(path).st_size == 0:
                    os.unlink(path)


def file_clock(folder: PathLike) -> int:
    """Return what a file written to a folder now has as its time, in nanoseconds.

    The clock of a network disk may differ from that of this machine, which is asked if
    nothing can be written there. 0 if there is no such folder.
    """
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            return os.fstat(file.fileno()).st_mtime_ns
    except FileNotFoundError:
        return 0
    except OSError:
        return time.time_ns()


def find_one_file(
    folder: PathLike, pairs: Iterable[tuple[str, str]]
) -> tuple[str, str] | None:
    """Return the first pair of names that are one file in a folder; None if all differ.

    Tried out where the folder is or will be. None, too, if nothing can be written
    there: what writes the files will say so.
    """
    there = next(one for one in (Path(folder), *Path(folder).parents) if one.is_dir())
    with suppress(OSError):
        for one, other in pairs:
            with tempfile.TemporaryDirectory(dir=there, prefix=".names-") as work:
                Path(work, one).parent.mkdir(parents=True, exist_ok=True)
                Path(work, one).touch()
                if Path(work, other).exists():
                    return one, other
    return None


def format_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a tab-separated table with one header line; floats get four digits."""
    lines = [columns, *rows]
    return "".join("\t".join(map(_format, line)) + "\n" for line in lines)


def _format(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def write_table(path: PathLike, rows: Sequence[Mapping[str, object]]) -> None:
    """Write rows with the same keys as a tab-separated table, atomically."""
    table = format_table(list(rows[0]), [list(row.values()) for row in rows])
    write_atomically(path, table.encode())


def read_table(path: PathLike) -> list[dict[str, str]]:
    """Read a tab-separated table with one header line: a dict for each row."""
    header, *lines = Path(path).read_text(encoding="utf-8").rstrip("\n").split("\n")
    columns = header.split("\t")
    return [dict(zip(columns, line.split("\t"), strict=True)) for line in lines]
