"""Search folders and buckets for scans."""

import os
import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from birdview.files import PathLike
from birdview.patterns import Pattern, compile_patterns
from birdview.scans import INVALID_NAMES

LEFT_OUT_FOLDERS = {
    *("__macosx", "lost+found", "system volume information"),
    *("trash", "$recycle.bin", "recycler", "#recycle", "@recycle"),
    *("@eadir", "#snapshot"),
}
"""Names, in lower case, of folders that hold no scans of the user's, but copies."""

_TOOL_FOLDERS = {
    *(".cache", ".git", ".github", ".hg", ".idea", ".ipynb_checkpoints", ".mypy_cache"),
    *(".pytest_cache", ".ruff_cache", ".snakemake", ".svn", ".venv", ".vscode"),
}
"""Folders of programs, which are left out without a word: no scan is there."""

_NAMED = 3  # of what is left out, in a message


class Ignored(NamedTuple):
    """What is not searched for scans because of its name.

    Attributes
    ----------
    files : list of str
        With the suffix of scans; paths below the folder of the scans.
    folders : list of str
        The same; nobody knows what is in them.
    """

    files: list[str]
    folders: list[str]

    def __str__(self) -> str:
        """Return it in one line; nothing if there is nothing."""
        paths = self.files[:_NAMED] + self.folders[:_NAMED]
        if not paths:
            return ""
        counts = [
            f"{len(some)} {kind}{'s' * (len(some) > 1)}"
            for some, kind in ((self.files, "file"), (self.folders, "folder"))
            if some
        ]
        names = [path if path.isprintable() else repr(path) for path in paths]
        more = len(self.files) + len(self.folders) - len(paths)
        return (
            f"{' and '.join(counts)} left out: {', '.join(names)}"
            f"{', ...' if more else ''} (names that begin with a dot, trash and the "
            f"like)"
        )


class FoundScans(NamedTuple):
    """The scans of a source.

    Attributes
    ----------
    names : list of str
        Sorted.
    missing : dict of str to str
        For a split that names scans that do not exist, the first of these, and one
        error message for all.
    left_out : Ignored
    """

    names: list[str]
    missing: dict[str, str]
    left_out: Ignored


class _Search:
    """Decide which folders to search, and which of their files are scans."""

    def __init__(self, suffix: str, patterns: Iterable[Pattern]) -> None:
        self._suffix = suffix
        self._matched = {"": [(pattern, pattern.start()) for pattern in patterns]}
        self.unused = dict.fromkeys(pattern.text for pattern in patterns)
        self.takes_all = not self.unused
        self.left_out = Ignored([], [])

    def enter(self, parent: str, name: str) -> bool:
        """Whether to search a folder, if its parent is searched."""
        matched = [
            (pattern, numbers)
            for pattern, before in self._matched[parent]
            if (numbers := pattern.advance(before, name))
        ]
        if not matched and not self.takes_all:
            return False
        path = _join(parent, name)
        if _is_hidden(name) or name.lower() in LEFT_OUT_FOLDERS:
            if name not in _TOOL_FOLDERS:
                self.left_out.folders.append(path)
            return False
        self._matched[path] = matched
        return True

    def choose(self, folder: str, files: Iterable[str]) -> list[str]:
        """Return the names of the scans in a folder."""
        files = [name for name in files if name.endswith(self._suffix)]
        hidden = {name for name in files if _is_hidden(name)}
        chosen = files if self.takes_all else []
        for pattern, matched in self._matched[folder]:
            more = pattern.choose(matched, files)
            if not hidden.issuperset(more):
                self.unused.pop(pattern.text, None)
            chosen = list(dict.fromkeys([*chosen, *more])) if chosen else more
        self.left_out.files.extend(
            _join(folder, name) for name in chosen if name in hidden
        )
        return [
            _join(folder, name).removesuffix(self._suffix)
            for name in chosen
            if name not in hidden
        ]


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _is_hidden(name: str) -> bool:
    return name.startswith(".") and name not in (".", "..")  # in a bucket: invalid


def find_scans(
    folder: PathLike,
    suffix: str = ".bin",
    match: str | Iterable[str] | None = None,
    skip: PathLike | None = None,
) -> FoundScans:
    """Find the scans in a folder and its sub-folders, also through links.

    Names that begin with a dot and `LEFT_OUT_FOLDERS` are left out.

    Parameters
    ----------
    folder : path-like
    suffix : str
        How the names of the files end.
    match : str or iterable of str, optional
        Patterns of paths below the folder, for `Pattern`. One of them must match.
    skip : path-like, optional
        A folder below, whose files are not the user's scans.

    Returns
    -------
    FoundScans
        Named by their paths below the folder, without suffix, with forward slashes.

    Raises
    ------
    FileNotFoundError
        If the folder is missing, or holds no scan.
    OSError
        If a folder cannot be read.
    ValueError
        If the folder has a name that Snakemake does not take, or if no file matches
        one of the patterns.
    """
    check_folder(folder)

    def walk(search: _Search, on_error: Callable[[OSError], None]) -> list[str]:
        return _walk(folder, search, skip, on_error)

    return _find(walk, suffix, match, os.path.abspath(folder), "file")


def find_names(
    paths: list[str], suffix: str, match: str | Iterable[str] | None, where: str
) -> FoundScans:
    """Find the scans among the paths of objects in a bucket, as in a folder.

    Parameters
    ----------
    paths : list of str
        Below the folder of the scans. Those that no scan can have are found as well.
    suffix, match
        As those of `find_scans`.
    where : str
        The folder of the scans, for error messages.
    """
    folders: dict[str, list[str]] = {}
    invalid = [path.removesuffix(suffix) for path in paths if path.startswith("/")]
    for path in paths:
        if not path.startswith("/"):
            folder, _, name = path.rpartition("/")
            folders.setdefault(folder, []).append(name)

    def walk(search: _Search, on_error: Callable[[OSError], None]) -> list[str]:
        return _walk_names(folders, search) + (invalid if search.takes_all else [])

    return _find(walk, suffix, match, where, "object")


def _walk_names(folders: Mapping[str, list[str]], search: _Search) -> list[str]:
    names: list[str] = []
    entered = {"": True}

    def enter(folder: str) -> bool:
        if folder not in entered:
            parent, _, name = folder.rpartition("/")
            entered[folder] = enter(parent) and search.enter(parent, name)
        return entered[folder]

    for folder, files in folders.items():
        if enter(folder):
            names += search.choose(folder, files)
    return names


def check_folder(folder: PathLike) -> None:
    """Check that the folder of the scans exists, and that Snakemake takes its name.

    Raises
    ------
    FileNotFoundError, ValueError
        If not.
    """
    where = os.path.abspath(folder)
    for pattern, why in INVALID_NAMES.items():
        if re.search(pattern, str(folder)):
            raise ValueError(f"scans: {where!r}: invalid path of scans: {why}")
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"scans: no folder at {where}, expected one with scans")


def list_scans(
    folder: PathLike, suffix: str, skip: PathLike | None = None
) -> list[str]:
    """Return the names of all scans in a folder, as far as it can be read; or none."""
    return sorted(_walk(folder, _Search(suffix, []), skip, _ignore))


def _find(
    walk: Callable[[_Search, Callable[[OSError], None]], list[str]],
    suffix: str,
    match: str | Iterable[str] | None,
    where: str,
    kind: str,
) -> FoundScans:
    search = _Search(suffix, compile_patterns(match))
    names = walk(search, _raise)
    if names and not search.unused:
        return FoundScans(sorted(names), {}, search.left_out)
    unused = next(iter(search.unused), None)
    if unused:
        search = _Search(suffix, [])
        names = walk(search, _ignore)
    why = f"; {search.left_out}" if any(search.left_out) else ""
    if not names:
        raise FileNotFoundError(
            f"scans: no {suffix} {kind} in {where} or below, expected one for each "
            f"scan{why}"
        )
    if str(unused).startswith("["):
        why += "; in a list, quote patterns that begin with *"
    raise ValueError(
        f"match: {unused!r}: 0 of {len(names)} {suffix} {kind}s in {where} match, "
        f"expected a pattern of their paths below it, such as "
        f"{min(names)}{suffix}{why}"
    )


def _raise(error: OSError) -> None:
    raise type(error)(
        f"scans: {os.path.abspath(error.filename)}: {error.strerror}, expected a "
        f"folder that can be read, or a `match` that leaves it out"
    ) from None


def _ignore(error: OSError) -> None:
    pass


def _walk(
    folder: PathLike,
    search: _Search,
    skip: PathLike | None,
    on_error: Callable[[OSError], None],
) -> list[str]:
    scans: list[str] = []
    skipped = skip and os.path.realpath(skip)
    # A link may lead back to a folder above it: those on the way to each path, which is
    # also given as it is below the folder of the scans.
    above = {os.fspath(folder): ("", {os.path.realpath(folder)})}
    for path, folders, files in os.walk(folder, onerror=on_error, followlinks=True):
        below, way = above.pop(path)
        for name in folders.copy():
            inside = os.path.join(path, name)
            real = os.path.realpath(inside)
            if real in way or real == skipped or not search.enter(below, name):
                folders.remove(name)
            else:
                above[inside] = _join(below, name), way | {real}
        scans += search.choose(below, files)
    return scans
