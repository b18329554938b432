"""Read tables of numbers in text, with or without a header."""

import csv
import re
from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from birdview.files import PathLike
from birdview.pixels.readers.columns import (
    Column,
    name_start,
    pick,
)

_BLANKS = " "
_DELIMITERS = ";", ",", "\t", _BLANKS
_COMMENTS = "#", "//"
_NUMBER = re.compile(
    r"[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|nan|inf|infinity)",
    re.ASCII | re.IGNORECASE,
)
_DECIMAL = re.compile(r"[-+]?\d*[.,]?\d+(?:e[-+]?\d+)?", re.ASCII | re.IGNORECASE)
_NAME = re.compile(r'"[^"]*"|\S+')
_CONTROL = re.compile(rb"[^\t\n\r -\xff]")
_ALLOWED = b"\t\n\r"
_MAX_SHOWN = 30


class _Table(NamedTuple):
    """Where the numbers of a file are, and what they are called.

    Attributes
    ----------
    names : list of str
        Of the header; numbers from 0 for columns that have no other.
    width : int
        How many numbers a line has.
    delimiter : str
    has_end : bool
        Whether there is a delimiter after the last number of the first line.
    line : int
        The number of the first line, from 1.
    body : bytes
        All lines of numbers.
    """

    names: list[str]
    width: int
    delimiter: str
    has_end: bool
    line: int
    body: bytes


def read(
    data: NDArray[np.uint8], wanted: Sequence[str], path: PathLike
) -> list[Column]:
    """Return columns of a table: by name, or by number from 0.

    Parameters
    ----------
    data, path
        As `birdview.pixels.readers.npy.read`.
    wanted : sequence of str
        Names in the header; or numbers.

    Returns
    -------
    list of ndarray of float64, shape (N,)

    Raises
    ------
    ValueError
        If this is no table of numbers, or does not have the columns; the message has
        the number of the line.
    """
    table = _find_table(_decode(data, path), path)
    numbers = [str(number) for number in range(table.width)]
    known = table.names + [name for name in numbers if name not in table.names]
    index = {name: int(name) for name in numbers}
    index |= {name: number for number, name in enumerate(table.names)}
    needed = {
        name
        for one in wanted
        for name in (one, one.rpartition(".")[0])
        if name and name in index
    }
    for name in table.names:
        same = table.names.count(name)
        if same > 1 and name in needed:
            raise ValueError(
                f"{path}: {same} columns {name} found, expected one; choose by the "
                f"number of the column, from 0"
            )
    used = sorted({index[name] for name in needed})
    values = _convert(table, used, path)
    return pick(wanted, known, lambda name: values[:, used.index(index[name])], path)


def list_columns(data: NDArray[np.uint8], path: PathLike) -> list[str]:
    """Return the names of all columns: numbers for those without one of their own.

    Parameters and errors are those of `read`.
    """
    names = _find_table(_decode(data, path), path).names
    return [
        name if name and names.count(name) == 1 else str(number)
        for number, name in enumerate(names)
    ]


def _decode(data: NDArray[np.uint8], path: PathLike) -> bytes:
    """Return text with the ends of lines that Unix has."""
    text = data.tobytes().removeprefix(b"\xef\xbb\xbf")
    kinds = np.flatnonzero(np.bincount(data[data < ord(" ")]))
    if not set(kinds.tolist()).issubset(_ALLOWED):
        control = _CONTROL.search(text)
        assert control is not None
        line = text.count(b"\n", 0, control.start()) + 1
        raise ValueError(
            f"{path}: line {line}: the byte {control[0][0]:#04x} in {name_start(data)} "
            f"found, expected text in UTF-8"
        )
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return text.rstrip(b"\n") + b"\n"


def _find_table(text: bytes, path: PathLike) -> _Table:
    """Return where the numbers begin, and the header before them."""
    header, comment = (0, ""), ""
    for number, start, line in _lines(text, path):
        if not line:
            continue
        if line.startswith(_COMMENTS):
            comment = line
            continue
        delimiter = _delimiter_of_numbers(line)
        if delimiter:
            fields, has_end = _split(line, delimiter)
            names = _names(*header, comment, delimiter, len(fields), path)
            return _Table(names, len(fields), delimiter, has_end, number, text[start:])
        if header[0] or not _is_header(line):
            delimiter = next(one for one in _DELIMITERS if one in line + _BLANKS)
            fields, _ = _split(line, delimiter)
            _check_numbers(fields, f"{path}: line {number}")
        header = number, line
    title = header[1] or comment.lstrip("#/").strip()
    if not title:
        raise ValueError(f"{path}: no numbers found, expected lines of them, as text")
    delimiter = next(one for one in _DELIMITERS if one in title + _BLANKS)
    names = _split_names(title, delimiter)
    return _Table(names, len(names), delimiter, False, header[0] + 1, b"")


def _lines(text: bytes, path: PathLike) -> Iterator[tuple[int, int, str]]:
    """Yield the number, the start and the text of each line."""
    start = number = 0
    while start < len(text):
        number += 1
        stop = text.index(b"\n", start)
        try:
            yield number, start, text[start:stop].decode().strip(" \t")
        except UnicodeDecodeError:
            raise ValueError(
                f"{path}: line {number}: {text[start:stop][:_MAX_SHOWN]!r} found, "
                f"expected text in UTF-8"
            ) from None
        start = stop + 1


def _delimiter_of_numbers(line: str) -> str:
    """Return what separates the numbers of a line; empty if there is other text."""
    for delimiter in _DELIMITERS:
        if delimiter in line + _BLANKS:
            fields, _ = _split(line, delimiter)
            if all(map(_NUMBER.fullmatch, fields)):
                return delimiter
    return ""


def _split(line: str, delimiter: str) -> tuple[list[str], bool]:
    """Return the fields of a line, and whether a delimiter follows the last one."""
    if delimiter == _BLANKS:
        return re.split("[ \t]+", line), False
    fields = [field.strip(" \t") for field in line.split(delimiter)]
    has_end = len(fields) > 1 and not fields[-1]
    return (fields[:-1] if has_end else fields), has_end


def _is_header(line: str) -> bool:
    """Whether a line has names: something else than numbers, or text among them."""
    delimiter = next(one for one in _DELIMITERS if one in line + _BLANKS)
    fields, _ = _split(line, delimiter)
    if any(not field.isdigit() and _DECIMAL.fullmatch(field) for field in fields):
        return False
    # Numbers are names after the empty one that pandas gives to an index.
    has_letter = any(letter.isalpha() for letter in line)
    return has_letter or (not fields[0] and all(map(str.isdigit, fields[1:])))


def _names(
    number: int, header: str, comment: str, delimiter: str, count: int, path: PathLike
) -> list[str]:
    """Return the names of columns; numbers if there is no header."""
    if header:
        names = _split_names(header, delimiter)
        if len(names) != count:
            raise ValueError(
                f"{path}: line {number}: {len(names)} names found, expected {count}, "
                f"as many as numbers after it"
            )
        return names
    names = _split_names(comment.lstrip("#/").strip(), delimiter)
    return names if len(names) == count else [str(one) for one in range(count)]


def _split_names(line: str, delimiter: str) -> list[str]:
    if delimiter == _BLANKS:
        return [name.strip('"') for name in _NAME.findall(line)]
    try:
        (names,) = csv.reader([line], delimiter=delimiter, skipinitialspace=True)
    except (csv.Error, ValueError):  # none, or no end of a quoted one
        names = line.split(delimiter)
    if len(names) > 1 and not names[-1].strip():
        del names[-1]
    return [name.strip() for name in names]


def _check_numbers(fields: list[str], where: str) -> None:
    """Raise ValueError if one of some fields is not a number."""
    for field in fields:
        if not _NUMBER.fullmatch(field):
            shown = field[:_MAX_SHOWN]
            found = repr(shown) if shown else "an empty field"
            point = ", with a decimal point" if _DECIMAL.fullmatch(shown) else ""
            raise ValueError(f"{where}: {found} found, expected a number{point}")


def _convert(table: _Table, columns: list[int], path: PathLike) -> NDArray[np.float64]:
    """Return some columns of a table, shape (N, columns)."""
    if not table.body or not columns:
        return np.empty((0, len(columns)))
    if table.body.isascii():
        from birdview.pixels.readers.decimals import parse_table

        text = np.frombuffer(table.body, dtype=np.uint8)
        found = parse_table(text, ord(table.delimiter), table.width, columns, len(text))
        if found is not None:
            values: NDArray[np.float64] = found[0]
            return values
    # The same, but slow, and with the number of the line in errors.
    body = "\n".join(_clean_lines(table, columns, path)).encode()
    return np.loadtxt(
        BytesIO(body),
        delimiter=None if table.delimiter == _BLANKS else table.delimiter,
        usecols=columns,
        comments=None,
        ndmin=2,
        encoding="ascii",
    )


def _clean_lines(table: _Table, columns: list[int], path: PathLike) -> Iterator[str]:
    """Yield the lines of numbers alone; raise ValueError at the first bad one."""
    for number, _, line in _lines(table.body, path):
        if not line or line.startswith(_COMMENTS):
            continue
        where = f"{path}: line {table.line + number - 1}"
        fields, _ = _split(line, table.delimiter)
        if len(fields) != table.width:
            raise ValueError(
                f"{where}: {len(fields)} numbers found, expected {table.width} as in "
                f"line {table.line}"
            )
        unused = [field for field in fields if not field or not field.isascii()]
        _check_numbers([*unused, *(fields[column] for column in columns)], where)
        yield line
