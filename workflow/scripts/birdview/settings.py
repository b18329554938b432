"""Settings as people write them, in files and on the command line."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from birdview.command import read_keys
from birdview.files import PathLike
from birdview.pixels.schema import load_schema, suggest, validate

EXAMPLES = {
    "dataset": "{by: drive}",
    "demo": "{scans: 8}",
    "frame": "{height: 2.1}",
    "level": "{poses: poses.txt}",
    "point_labels": "{path: labels}",
    "sweeps": "{before: 4, poses: poses.txt}",
}
"""Settings that are keys and values, and an example of each."""

_TYPES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "null",
    "number": "a number",
    "object": "keys and values",
    "string": "text",
}
"""What the schema calls a type, and what people call it."""

_NO_PATHS = ("match", "suffix", "topic", "classes")
"""Settings in which $ and ~ are only characters."""

_SNAKEMAKES = ("pathvars",)
"""Keys that Snakemake reads in the same files."""


def list_names() -> list[str]:
    """Return the names of all settings, former ones as well."""
    rules = load_schema("config")["properties"]
    former = (rule.get("formerly") for rule in rules.values())
    return [*rules, *filter(None, former)]


def find_file(path: PathLike, shipped: PathLike) -> tuple[str | None, str]:
    """Find out whether a file in the user's folder has settings of birdview.

    Parameters
    ----------
    path : path-like
    shipped : path-like
        The settings of the clone, which count anyway.

    Returns
    -------
    path : str or None
        None if there is nothing to read.
    why : str
        Why the file is ignored, in one line; empty if it is read, or if there is none.

    Raises
    ------
    OSError, ValueError
        If it cannot be read, is not yaml, or has unknown keys beside known ones.
    """
    if not os.path.exists(path):
        return None, ""
    if os.path.exists(shipped) and os.path.samefile(path, shipped):
        return None, ""
    where = os.path.abspath(path)
    keys = read_keys(where)
    names = [*list_names(), *_SNAKEMAKES]
    unknown = [key for key in keys if key not in names]
    if keys and len(unknown) < len(keys):
        if unknown:
            raise ValueError(
                f"{where}: {unknown[0]}: unknown setting{suggest(unknown[0], names)}, "
                f"expected settings of birdview alone; all: {', '.join(names)}"
            )
        return where, ""
    hint = next(filter(None, (suggest(key, names) for key in keys)), "")
    found = f", but {unknown[0]}{hint}" if unknown else ""
    return None, f"{where}: ignored: no setting of birdview in it{found}"


def read_settings(
    settings: Mapping[str, Any],
    files: Iterable[PathLike] = (),
    typed: Sequence[str] = (),
) -> dict[str, Any]:
    """Return all settings, with the schema's defaults for what is not given.

    Parameters
    ----------
    settings : mapping
        As Snakemake's `config`.
    files : iterable of path-like
        What they were merged from, to name the file of an error.
    typed : sequence of str
        What the command line has after ``--config``: Snakemake converts numbers.

    Raises
    ------
    ValueError
        In one line: the file or the key, what was found and what was expected.
    """
    try:
        return _read(settings, "config", typed)
    except ValueError:
        for path in files:
            content = yaml.safe_load(Path(path).read_text("utf-8"))
            if isinstance(content, dict) and "__use_yte__" not in content:
                for key in _SNAKEMAKES:
                    content.pop(key, None)
                _read(content, str(path), ())
        raise


def _read(
    settings: Mapping[str, Any], source: str, typed: Sequence[str]
) -> dict[str, Any]:
    values = dict(settings)
    if values.get("dataset") in (None, "null"):  # all of its keys have defaults
        values["dataset"] = {}
    encodings = values.get("encodings")
    if isinstance(encodings, str) and re.fullmatch(r"(?!null$)[^\[].*", encodings):
        values["encodings"] = [name for name in encodings.split(",") if name]
    _check_text(values, source, typed)
    for key, example in EXAMPLES.items():
        value = values.get(key)
        if value not in (None, "null") and not isinstance(value, Mapping):
            raise ValueError(
                f"{source}: {key}: {value!r}, expected keys and values: "
                f"'{key}={_fill(example, value)}' on the command line"
            )
    try:
        values = validate(values, "config", source, from_text=True)
    except ValueError as error:
        raise ValueError(_reword(str(error))) from None
    for key, value in values.items():
        if key not in _NO_PATHS:
            _check_paths(value, f"{source}: {key}")
    return values


def _fill(example: str, value: Any) -> str:
    """Put a number that was given in place of an example's."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return re.sub("[0-9.]+", str(value), example, count=1) if number else example


def _check_text(values: Mapping[str, Any], source: str, typed: Sequence[str]) -> None:
    """Raise ValueError at a number that was text on the command line."""
    for entry in typed:
        key, _, text = entry.partition("=")
        value = values.get(key)
        if isinstance(value, int | float) and key in ("scans", "split", "labels"):
            raise ValueError(
                f"{source}: {key}: {text} is a number to Snakemake, expected the path "
                f"of a {'file' if key == 'split' else 'folder'}: {key}=./{text}"
            )


def _reword(message: str) -> str:
    """Replace the schema's terms for types, and suggest one of several words."""
    found = re.search(r" is not of type ((?:'\w+'(?:, )?)+)", message)
    if found:
        types = [_TYPES[name] for name in re.findall(r"\w+", found[1])]
        expected = ", expected " + " or ".join(types)
        return message[: found.start()] + expected + message[found.end() :]
    found = re.search(r": '([^']*)' is not one of \[(.*)\]$", message)
    if found:
        words = re.findall(r"'([^']*)'", found[2])
        return (
            f"{message[: found.start()]}: {found[1]}{suggest(found[1], words)}, "
            f"expected one of {', '.join(words)}"
        )
    return message


def _check_paths(value: Any, where: str) -> None:
    """Raise ValueError at a path that only a shell understands."""
    for key, text in _texts(value):
        short = os.path.expanduser(os.path.expandvars(text))
        if short != text and not os.path.exists(text):
            raise ValueError(
                f"{where}:{key} {text}, expected the whole path, as only shells "
                f"replace ~ and $: {short}"
            )


def _texts(value: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Yield texts in a value, and the keys on the way to each."""
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if key not in _NO_PATHS:
                yield from _texts(item, f"{where} {key}:")
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, where)
