"""Stamps: times as text, in whole nanoseconds, which float64 could not tell apart."""

import re
from decimal import Decimal

_SECONDS = re.compile(r"[0-9]+\.[0-9]+")
_WHOLE = {10: 10**9, 13: 10**6, 16: 10**3, 19: 1}
"""Nanoseconds in the unit of a whole number, by its digits: s, ms, us, ns."""


def parse_seconds(word: str) -> int:
    """Return a number of seconds in nanoseconds, such as ``1.4e9``.

    Parameters
    ----------
    word : str
        A finite number.
    """
    return int(Decimal(word).scaleb(9).to_integral_value())


def parse_stamp(name: str) -> int | None:
    """Return the time that a scan's name is, in nanoseconds; None if it is none.

    Parameters
    ----------
    name : str
        Seconds with a decimal point; or a whole number of s, ms, us or ns, which has
        10, 13, 16 or 19 digits in this century.

    Examples
    --------
    >>> parse_stamp("1403636579.763555527"), parse_stamp("1403636579763")
    (1403636579763555527, 1403636579763000000)
    """
    if _SECONDS.fullmatch(name):
        return parse_seconds(name)
    if name.isascii() and name.isdecimal() and name[0] != "0" and len(name) in _WHOLE:
        return int(name) * _WHOLE[len(name)]
    return None
