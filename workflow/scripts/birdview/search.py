"""Search folders and buckets for scans."""

import os
import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from birdview.files import PathLike
from birdview.patterns import Pattern, compile_patterns
from birdview.pixels.kinds import (
    Kind,
    recognise_file,
    recognise_folder,
    recognise_suffix,
)
from birdview.pixels.schema import suggest
from birdview.scans import INVALID_NAMES
from birdview.suffixes import count_by_suffix, count_unread, explain

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
    """What is not read or searched because of its name.

    Attributes
    ----------
    files : list of str
        With the suffix of scans; paths below the folder of the scans.
    folders : list of str
        The same; nobody knows what is in them.
    unread : dict of str to int
        How many files have other suffixes that scans may have.
    """

    files: list[str]
    folders: list[str]
    unread: dict[str, int]

    def __str__(self) -> str:
        """Return it in one line; nothing if there is nothing."""
        return "; ".join(filter(None, (self._name_left_out(), self._count_unread())))

    def _count_unread(self) -> str:
        if not self.unread:
            return ""
        counts = [f"{count} {suffix}" for suffix, count in self.unread.items()]
        beside = "file beside the scans is"
        if sum(self.unread.values()) > 1:
            beside = "files beside the scans are"
        return f"{' and '.join(counts)} {beside} not read"

    def _name_left_out(self) -> str:
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
        self.left_out = Ignored([], [], {})

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

    def choose(self, folder: str, names: list[str]) -> list[str]:
        """Return the names of the scans in a folder, of all its files."""
        files = [name for name in names if name.endswith(self._suffix)]
        if self.takes_all and len(files) < len(names):
            self._count_unread(folder, names)
        # The slices and the prefix make a long list several times as fast.
        hidden = {name for name in files if name[:1] == "." and _is_hidden(name)}
        chosen = files if self.takes_all else []
        for pattern, matched in self._matched[folder]:
            more = pattern.choose(matched, files)
            if not hidden.issuperset(more):
                self.unused.pop(pattern.text, None)
            chosen = list(dict.fromkeys([*chosen, *more])) if chosen else more
        self.left_out.files.extend(
            _join(folder, name) for name in chosen if name in hidden
        )
        if hidden:
            chosen = [name for name in chosen if name not in hidden]
        prefix, end = _join(folder, ""), -len(self._suffix)
        return [prefix + name[:end] for name in chosen]

    def _count_unread(self, folder: str, names: list[str]) -> None:
        counts = count_unread(names, self._suffix)
        if counts and not recognise_folder(_join(folder, "file")):
            for suffix, count in counts.items():
                before = self.left_out.unread.get(suffix, 0)
                self.left_out.unread[suffix] = before + count


class _Census(_Search):
    """Find all files, whatever their suffix, in the folders of scans."""

    def __init__(self) -> None:
        super().__init__("", [])

    def choose(self, folder: str, names: list[str]) -> list[str]:
        """Return the paths of the files in a folder."""
        shown = (name for name in names if name and not _is_hidden(name))
        return [_join(folder, name) for name in shown]


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _is_hidden(name: str) -> bool:
    return name.startswith(".") and name not in (".", "..")  # in a bucket: invalid


class _Tree(NamedTuple):
    """Where to search for scans.

    Attributes
    ----------
    where : str
        For error messages.
    noun : str
        What is there: ``file``.
    walk : function
        Returns what a search chooses; calls a function for each folder that cannot be
        read.
    recognise : function
        Returns what a file is, by its path and its suffix.
    verb : str
        How sure that is: ``is``.
    """

    where: str
    noun: str
    walk: Callable[[_Search, Callable[[OSError], None]], list[str]]
    recognise: Callable[[str, str], Kind | None]
    verb: str


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

    def recognise(path: str, suffix: str) -> Kind | None:
        try:
            return recognise_file(os.path.join(folder, path))
        except OSError:
            return recognise_suffix(suffix)

    tree = _Tree(os.path.abspath(folder), "file", walk, recognise, "is")
    return _find(tree, suffix, match)


def find_names(
    paths: list[str], suffix: str, match: str | Iterable[str] | None, where: str
) -> FoundScans:
    """Find the scans among the paths of objects in a bucket, as in a folder.

    Parameters
    ----------
    paths : list of str
        Of all objects below the folder of the scans. Scans with paths that no scan can
        have are found as well.
    suffix, match
        As those of `find_scans`.
    where : str
        The folder of the scans, for error messages.
    """
    folders: dict[str, list[str]] = {}
    invalid = [
        path.removesuffix(suffix)
        for path in paths
        if path.startswith("/") and path.endswith(suffix)
    ]
    for path in paths:
        if not path.startswith("/"):
            folder, _, name = path.rpartition("/")
            folders.setdefault(folder, []).append(name)

    def walk(search: _Search, on_error: Callable[[OSError], None]) -> list[str]:
        return _walk_names(folders, search) + (invalid if search.takes_all else [])

    def recognise(path: str, suffix: str) -> Kind | None:
        return recognise_suffix(suffix)

    tree = _Tree(where, "object", walk, recognise, "should be")
    return _find(tree, suffix, match)


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
    if os.path.isdir(folder):
        return
    if os.path.isfile(folder):
        raise FileNotFoundError(
            f"scans: {where} is a file, expected the folder that it is in: "
            f"scans={os.path.dirname(folder) or '.'}"
        )
    above = _first_folder(where)
    if any(character in where.removeprefix(above) for character in "*?["):
        pattern = where.removeprefix(above).lstrip("/")
        raise FileNotFoundError(
            f"scans: {where} is a pattern, expected a folder, and the pattern as "
            f"`match`: scans={above} 'match={pattern}'"
        )
    lacking = where.removeprefix(above).strip("/").partition("/")[0]
    hint = suggest(lacking, _list_folders(above))
    raise FileNotFoundError(
        f"scans: no folder at {where}{hint}, expected one with scans"
    )


def _first_folder(path: str) -> str:
    """Return the first folder above a path that exists."""
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    return path


def _list_folders(folder: str) -> list[str]:
    try:
        return [entry.name for entry in os.scandir(folder) if entry.is_dir()]
    except OSError:
        return []


def list_scans(
    folder: PathLike, suffix: str, skip: PathLike | None = None
) -> list[str]:
    """Return the names of all scans in a folder, as far as it can be read; or none."""
    return sorted(_walk(folder, _Search(suffix, []), skip, _ignore))


def _find(tree: _Tree, suffix: str, match: str | Iterable[str] | None) -> FoundScans:
    search = _Search(suffix, compile_patterns(match))
    names = tree.walk(search, _raise)
    if names and not search.unused:
        return FoundScans(sorted(names), {}, search.left_out)
    unused = next(iter(search.unused), None)
    if unused:
        search = _Search(suffix, [])
        names = tree.walk(search, _ignore)
    left_out = search.left_out._replace(unread={})
    why = f"; {left_out}" if any(left_out) else ""
    if not names:
        others = count_by_suffix(tree.walk(_Census(), _ignore))
        found = explain(others, suffix, tree.recognise, tree.verb)
        raise FileNotFoundError(
            f"scans: no {suffix} {tree.noun} in {tree.where} or below, expected one "
            f"for each scan{found and '; found '}{found}{why}"
        )
    if str(unused).startswith("["):
        why += "; in a list, quote patterns that begin with *"
    raise ValueError(
        f"match: {unused!r}: 0 of {len(names)} {suffix} {tree.noun}s in {tree.where} "
        f"match, expected a pattern of their paths below it, such as "
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
