"""Parse text of numbers: those that Python's float returns, several times as fast."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

BLANKS = ord(" ")
"""The delimiter that stands for any number of blanks and tabs."""

_POWERS = 10.0 ** np.arange(23)
"""Those that a float64 holds exactly."""
_EXACT = 1 << 53
"""All whole numbers up to this one are float64."""
_MAX_DIGITS = 18
"""So many always fit in an int64."""
_FULL = 10 ** (_MAX_DIGITS - 1)
_MAX_EXPONENT = 4  # digits
_UNSURE = 2.0**-95
"""A share of a number: its last bits, of 106, may be wrong."""
_SPLIT = 2.0**27 + 1
_TAB, _END, _RETURN, _PLUS, _MINUS, _POINT, _ZERO = b"\t\n\r+-.0"
_LOWER = 32  # makes letters of ASCII lower case
_A, _E, _N = b"aen"


def parse_table(
    text: NDArray[np.uint8], delimiter: int, width: int, used: Sequence[int], most: int
) -> tuple[NDArray[np.float64], int] | None:
    """Return columns of a table of numbers, and how many bytes it has.

    Blank lines do not count. The numbers are those that Python's float returns.

    Parameters
    ----------
    text : ndarray of uint8, shape (size,)
    delimiter : int
        A byte, around which blanks may be; one more may stand at the end of a line.
    width : int
        Of all columns.
    used : sequence of int
        The columns to return, in ascending order.
    most : int
        Rows to read at most.

    Returns
    -------
    ndarray of float64, shape (N, columns), and int
        Or None if a line has another number of fields, an empty one, or another text in
        a column that is used.
    """
    place = np.full(width, -1)
    place[list(used)] = np.arange(len(used))
    most = min(most, int(np.count_nonzero(text == _END)) + 1)
    text = text.view()
    text.flags.writeable = False  # as it may be, and it is compiled once
    values = np.empty((most, len(used)))
    others = np.empty((64, 4), dtype=np.int64)
    rows, stop, count = 0, 0, -1
    while count < 0:  # until all others fit
        others = np.empty((len(others) * 8, 4), dtype=np.int64)
        rows, stop, count = _parse(text, delimiter, place, values, others)
        if stop < 0:
            return None
    for row, column, start, end in others[:count].tolist():
        try:
            values[row, column] = float(number := text[start:end].tobytes())
        except ValueError:
            return None
        if b"_" in number:  # Python allows it
            return None
    return values[:rows], stop


@njit(nogil=True, cache=True)
def _parse(
    text: NDArray[np.uint8],
    delimiter: int,
    place: NDArray[np.int64],
    values: NDArray[np.float64],
    others: NDArray[np.int64],
) -> Any:  # three int
    """Return how many rows there are, where they end, and how many others.

    Others are numbers that are not parsed here: row, column, start and end of each.
    Their count is negative if there are too many, and the end if the table is not
    regular.
    """
    width, size = len(place), len(text)
    i, row, count = 0, 0, 0
    while row < len(values):
        column = 0
        while True:
            i = _skip_blanks(text, i, delimiter)
            if i == size or text[i] == _END:
                break
            start, is_number, value = i, True, 0.0
            number = place[column] if column < width else -1
            if number >= 0:
                is_number, value, i = _parse_number(text, i)
            stop = _skip_field(text, i, delimiter)
            if stop == start or column == width:
                return row, -1, 0
            if number >= 0 and not (is_number and stop == i):
                if count == len(others):
                    return row, 0, -1
                others[count, 0], others[count, 1] = row, number
                others[count, 2], others[count, 3] = start, stop
                count += 1
            i = stop
            if number >= 0:
                values[row, number] = value
            column += 1
            i = _skip_blanks(text, i, delimiter)
            if delimiter != BLANKS and i < size:
                if text[i] == delimiter:
                    i += 1
                elif text[i] != _END:
                    return row, -1, 0
        i = min(i + 1, size)
        if column == width:
            row += 1
        elif column:
            return row, -1, 0
        elif i == size:
            break
    return row, i, count


@njit(nogil=True, cache=True)
def _skip_blanks(text: NDArray[np.uint8], i: int, delimiter: int) -> Any:  # int
    size = len(text)
    while i < size:
        if text[i] != BLANKS and text[i] != _TAB and text[i] != _RETURN:
            return i
        if text[i] == delimiter and delimiter != BLANKS:
            return i
        i += 1
    return i


@njit(nogil=True, cache=True)
def _skip_field(text: NDArray[np.uint8], i: int, delimiter: int) -> Any:  # int
    size = len(text)
    while i < size:
        if text[i] <= BLANKS or text[i] == delimiter:
            return i
        i += 1
    return i


@njit(nogil=True, cache=True)
def _parse_number(text: NDArray[np.uint8], i: int) -> Any:  # bool, float, int
    """Return whether a number begins here, its value, and where the text goes on."""
    size = len(text)
    is_negative = text[i] == _MINUS
    i += is_negative or text[i] == _PLUS
    start = i
    digits, i = _take_digits(text, i, 0)
    seen, power, is_more = i - start, 0, False
    if i < size and text[i] == _POINT:
        digits, i = _take_digits(text, i + 1, digits)
        power = seen + 1 - (i - start)
        seen -= power
    elif not seen and i + 2 < size and _is_nan(text[i : i + 3]):
        return True, np.nan, i + 3
    if seen > _MAX_DIGITS:
        digits, rest, is_more = _take_first_digits(text[start:i])
        power += rest
    if seen and i < size and text[i] | _LOWER == _E:
        i += 1
        is_small = i < size and text[i] == _MINUS
        i += is_small or (i < size and text[i] == _PLUS)
        exponent: Any = np.int64(0)
        seen = 0
        while i < size and seen < _MAX_EXPONENT:
            digit = np.int64(text[i]) - _ZERO
            if not 0 <= digit <= 9:
                break
            exponent = exponent * 10 + digit
            seen += 1
            i += 1
        power += -exponent if is_small else exponent
    is_sure, value = _scale(digits, is_more, power)
    return seen and is_sure, -value if is_negative else value, i


@njit(nogil=True, cache=True)
def _take_digits(
    text: NDArray[np.uint8],
    i: int,
    digits: Any,  # int
) -> Any:  # int, int
    """Return digits with those from here on behind, and where the text goes on."""
    size = len(text)
    while i < size:
        digit = np.int64(text[i]) - _ZERO
        if digit < 0 or digit > 9:
            return digits, i  # twice as fast as to leave the loop
        digits = digits * 10 + digit
        i += 1
    return digits, i


@njit(nogil=True, cache=True)
def _take_first_digits(text: NDArray[np.uint8]) -> Any:  # int, int, bool
    """Return those digits that have room, how many more there are, and if any is not 0.

    Points do not count.
    """
    digits: Any = np.int64(0)
    is_more: Any = False
    rest = 0
    for byte in text:
        digit = np.int64(byte) - _ZERO
        if byte == _POINT:
            continue
        if digits < _FULL:
            digits = digits * 10 + digit
        else:
            rest += 1
            is_more |= digit > 0
    return digits, rest, is_more


@njit(nogil=True, cache=True)
def _is_nan(text: NDArray[np.uint8]) -> Any:  # bool
    n, a, last = text
    return n | _LOWER == _N and a | _LOWER == _A and last | _LOWER == _N


@njit(nogil=True, cache=True)
def _scale(digits: int, is_more: bool, power: int) -> Any:  # bool, float
    """Return the float64 nearest to digits x 10^power, and whether that is certain.

    The digits are those of a number that may be more, by less than 1.
    """
    if digits == 0:
        return True, 0.0
    if not -len(_POWERS) < power < len(_POWERS):
        return False, 0.0
    high = np.float64(digits)
    by = _POWERS[abs(power)]
    if digits <= _EXACT:  # one operation, rounded once
        return True, high / by if power < 0 else high * by
    if power >= 0:
        return False, 0.0
    # Divide with twice as many bits, and look whether the doubtful ones matter.
    low = np.float64(digits - np.int64(high))
    quotient = high / by
    part = quotient * _SPLIT
    a = part - (part - quotient)
    part = by * _SPLIT
    b = part - (part - by)
    product = quotient * by
    error = a * b - product + a * (by - b) + (quotient - a) * b
    error += (quotient - a) * (by - b)
    rest = high - product - error + low
    doubt = quotient * _UNSURE
    value = quotient + (rest / by - doubt)
    return value == quotient + ((rest + is_more) / by + doubt), value
