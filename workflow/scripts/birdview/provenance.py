"""Digest the code and the environment that images are made with.

Snakemake does not track imported modules, so the rules pass digests of them as params.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import birdview
from birdview import paths

SOFTWARE = f"birdview {birdview.__version__}"

# Parsing the sources would take Snakemake 12 ms of each start; a test compares the two.
_IMPORT = re.compile(
    r"^ *(?:from (birdview[\w.]*) import (\([^)]*\)|.*)|import (birdview[\w.]*))",
    flags=re.MULTILINE,
)
_NAME = re.compile(r"#.*|(\w+)")  # not the words of comments


@cache
def digest_code() -> str:
    """Return the SHA-256 of the folder `pixels`: an edit there makes images stale.

    Without the readers, each of which counts for the scans of its format alone.
    """
    files = sorted(paths.PIXELS.rglob("*.py"))
    return _digest([file for file in files if paths.READERS not in file.parents])


@cache
def digest_reader(kind: str) -> str:
    """Return the SHA-256 of the reader of a format, with what it takes from others."""
    found = _find_modules([f"birdview.pixels.readers.{kind}"])
    return _digest([file for file in found if paths.READERS in file.parents])


@cache
def digest_modules(*names: str) -> str:
    """Return the SHA-256 of modules and of all modules of birdview that they import.

    Parameters
    ----------
    *names : str
        For example ``birdview.view.boxes``.
    """
    return _digest(_find_modules(names))


def _find_modules(names: Iterable[str]) -> list[Path]:
    """Return the files of modules and of all that they import."""
    found: set[Path] = set()
    waiting = [_file_of(name) for name in names]
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            waiting += [_file_of(name) for name in imported_modules(file)]
    return sorted(found)


def _digest(files: list[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        content = file.read_bytes()
        name = file.relative_to(paths.PACKAGE).as_posix()
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def imported_modules(file: Path) -> Iterator[str]:
    """Yield the names of birdview's modules that a source file imports, anywhere in it.

    Not the packages they are in, whose `__init__.py` hold nothing that counts.
    """
    for package, names, module in _IMPORT.findall(file.read_text(encoding="utf-8")):
        found = [module or package, *(f"{package}.{n}" for n in _NAME.findall(names))]
        yield from (name for name in found if _file_of(name).is_file())


def _file_of(module: str) -> Path:
    """Return where a module of birdview is, or would be if there were one."""
    _, *parts = module.split(".")
    if not module.startswith("birdview.") or not parts:
        return paths.PACKAGE / "no such module"
    return paths.PACKAGE.joinpath(*parts).with_suffix(".py")


@cache
def digest_lock() -> str:
    """Return the SHA-256 of the list of exact versions that users install."""
    return hashlib.sha256(paths.LOCK.read_bytes()).hexdigest()
