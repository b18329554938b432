"""Patterns of paths: which files in a tree are scans."""

import fnmatch
import re
from collections.abc import Iterable
from pathlib import PurePosixPath


class Pattern:
    """A pattern of paths, as those of `pathlib.Path.glob`: ``**`` is any depth.

    Lower and upper case differ. The folders of a path are matched one by one, because
    there are few, and few of them have to be searched.

    Parameters
    ----------
    text : str

    Raises
    ------
    ValueError
        If no path below a folder can match.
    """

    def __init__(self, text: str) -> None:
        parts = PurePosixPath(text).parts
        if (
            not parts
            or text.startswith("/")
            or any(part == ".." for part in parts)
            or any("**" in part and part != "**" for part in parts)
        ):
            raise ValueError(
                f"match: {text!r}, expected a pattern of paths below scans, such as "
                f"*/velodyne/*.bin, or **/velodyne/*.bin for any depth"
            )
        if parts[-1] == "**":
            parts = *parts, "*"
        self.text = text
        self._folders = [
            None if part == "**" else _compile(part).match for part in parts[:-1]
        ]
        self._file = _compile(parts[-1]).match

    def start(self) -> frozenset[int]:
        """Return how much of the pattern the folder of the scans itself matches.

        Returns
        -------
        frozenset of int
            The numbers of components that may have been matched.
        """
        return self._skip({0})

    def advance(self, matched: frozenset[int], name: str) -> frozenset[int]:
        """Return the same of a folder in one of which it is known.

        Empty if no file below can match.
        """
        found = set()
        for number in matched:
            if number < len(self._folders):
                match = self._folders[number]
                if match is None:
                    found.add(number)
                elif match(name):
                    found.add(number + 1)
        return self._skip(found)

    def _skip(self, matched: set[int]) -> frozenset[int]:
        """Add what follows ``**``, which may match no folder at all."""
        for number, match in enumerate(self._folders):
            if match is None and number in matched:
                matched.add(number + 1)
        return frozenset(matched)

    def choose(self, matched: frozenset[int], names: list[str]) -> list[str]:
        """Return the names of those files in a folder that match."""
        if len(self._folders) not in matched:
            return []
        return [name for name in names if self._file(name)]


def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(pattern))


def compile_patterns(match: str | Iterable[str] | None) -> list[Pattern]:
    """Return the patterns of the setting `match`; none if it is not set.

    Raises
    ------
    ValueError
        If one of them is invalid.
    """
    texts = [match] if isinstance(match, str) else match or ()
    return [Pattern(text) for text in dict.fromkeys(texts)]
