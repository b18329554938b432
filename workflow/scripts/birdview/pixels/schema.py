"""Validate settings against a schema, and fill in its defaults."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from difflib import get_close_matches
from functools import cache
from math import isfinite
from pathlib import Path
from typing import Any, cast

import yaml
from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import ValidationError, best_match

from birdview import paths
from birdview.files import PathLike

_FROM_TEXT: dict[str, tuple[str, Callable[[str], Any]]] = {
    "null": ("null", lambda text: None),
    "boolean": ("true|false", lambda text: text.lower() == "true"),
    "integer": ("[-+]?[0-9]+", int),
    "number": (r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[-+]?[0-9]+)?", float),
}
"""By type of the schema: text that stands for such a value, and how to convert it."""


class _Loader(yaml.SafeLoader):
    """Reads -0 as a number with a sign: column 0 of an array may be mirrored."""


def _construct_int(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int | float:
    return -0.0 if node.value == "-0" else loader.construct_yaml_int(node)


_Loader.add_constructor("tag:yaml.org,2002:int", _construct_int)


# libyaml, where PyYAML has it, takes a tenth of the time. It has other messages for
# mistakes, hence only for files that have none.
_SchemaLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def suggest(found: str, allowed: Iterable[str]) -> str:
    """Return `` (did you mean ...?)`` for a mistyped word, or nothing."""
    words = {word.lower(): word for word in allowed}
    close = get_close_matches(str(found).lower(), words, n=1)
    return f" (did you mean {words[close[0]]}?)" if close else ""


def is_path(name: PathLike) -> bool:
    """Whether a yaml file is given by its path, and not by the name of a built-in."""
    return Path(name).suffix in (".yaml", ".yml")


def load_yaml(
    name: PathLike, kind: str, folder: Path, schema: str | None = None
) -> tuple[Path, dict[str, Any]]:
    """Load a built-in yaml file by its name, or any other by its path.

    Parameters
    ----------
    name : path-like
    kind : str
        What the file describes.
    folder : Path
        Where the built-in files are.
    schema : str, optional
        The name of its schema, which is `kind` otherwise.

    Returns
    -------
    path : Path
    settings : dict
        With all defaults.

    Raises
    ------
    FileNotFoundError
        If there is no such file, or no built-in of this name.
    ValueError
        If the file is not yaml, or does not fit the schema; the message names it.
    """
    path = Path(name) if is_path(name) else folder / f"{name}.yaml"
    if is_path(name) and not path.is_file():
        what = f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}'s yaml"
        raise FileNotFoundError(f"{path}: no such file, expected {what}")
    if not (is_path(name) or (path.is_file() and path.stem == name)):
        names = sorted(file.stem for file in folder.glob("*.yaml"))
        raise FileNotFoundError(
            f"unknown {kind} {name}{suggest(str(name), names)}; built-in {kind}s: "
            f"{', '.join(names)}; for any other, give the path of its .yaml file"
        )
    try:
        settings = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: {' '.join(str(error).split())}") from error
    return path, validate(settings, schema or kind, path)


@cache
def load_schema(name: str) -> Mapping[str, Any]:
    """Return a schema of workflow/schemas/ by its name, such as ``encoding``."""
    path = paths.SCHEMAS / f"{name}.schema.yaml"
    return cast(Mapping[str, Any], yaml.load(path.read_bytes(), _SchemaLoader))


def validate(
    settings: Mapping[str, Any] | None,
    schema: str,
    source: PathLike,
    *,
    from_text: bool = False,
) -> dict[str, Any]:
    """Return the settings with the schema's defaults for what is not given.

    A property of the schema may say ``formerly: NAME``; settings may still use that
    name.

    Parameters
    ----------
    settings : mapping
        As read from yaml; not changed.
    schema : str
        The name of a schema in workflow/schemas/, such as ``encoding``.
    source : path-like
        Where the settings come from, for error messages.
    from_text : bool
        Whether numbers, booleans and null may arrive as text, as all nested values of
        Snakemake's ``--config`` do. They are converted where the schema wants them.

    Raises
    ------
    ValueError
        If the settings do not fit the schema: one line that names the source and the
        key, what was found and what was expected.
    """
    if settings is None:
        raise ValueError(f"{source}: nothing in it, expected keys and values")
    rules = load_schema(schema)
    values: Any = deepcopy(settings)
    if isinstance(values, dict):
        _rename(values, rules, source)
    if from_text:
        values = _convert(values, rules)
    error = best_match(_Defaulting(rules).iter_errors(values))
    if error is None:
        return dict(values)
    message = error.message
    if error.validator == "additionalProperties":
        allowed = error.schema["properties"]
        unknown = next(key for key in error.instance if key not in allowed)
        message += f"{suggest(unknown, allowed)}; allowed: {', '.join(allowed)}"
    wants_text = error.validator == "type" and "string" in error.validator_value
    if from_text and wants_text and _is_number(None, error.instance):
        message += (
            "; yaml takes it for a number: put ./ before the name of a file or a "
            "folder, as in ./2011_09_26"
        )
    keys = "".join(f"{key}: " for key in error.absolute_path)
    raise ValueError(f"{source}: {keys}{message}")


def _rename(values: dict[str, Any], rules: Mapping[str, Any], source: PathLike) -> None:
    """Put values under their keys' current names."""
    for name, rule in rules["properties"].items():
        former = rule.get("formerly")
        if former is None or former not in values:
            continue
        if name in values and values[name] != rule.get("default"):
            raise ValueError(
                f"{source}: {former} and {name} are given, expected {name} alone, "
                f"which is its new name"
            )
        values[name] = values.pop(former)


def _convert(value: Any, rules: Mapping[str, Any]) -> Any:
    """Convert text to the number, boolean or null that the rules want in its place."""
    if isinstance(value, Mapping):
        properties = rules.get("properties", {})
        others = rules.get("additionalProperties") or {}
        return {
            key: _convert(item, properties.get(key, others))
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_convert(item, rules.get("items", {})) for item in value]
    wanted = rules.get("type", "string")
    kinds = wanted if isinstance(wanted, list) else [wanted]
    if isinstance(value, str):
        for kind, (pattern, convert) in _FROM_TEXT.items():
            if kind in kinds and re.fullmatch(pattern, value, re.IGNORECASE):
                return convert(value)
    return value


def _fill_defaults(
    validator: Any, properties: Mapping[str, Any], instance: Any, schema: Any
) -> Iterator[ValidationError]:
    if validator.is_type(instance, "object"):
        for key, rule in properties.items():
            if "default" in rule:
                instance.setdefault(key, deepcopy(rule["default"]))
    yield from Draft202012Validator.VALIDATORS["properties"](
        validator, properties, instance, schema
    )


def _is_integer(_: Any, value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(checker: Any, value: Any) -> bool:
    is_float = isinstance(value, float) and isfinite(value)
    return is_float or _is_integer(checker, value)


# JSON has no NaN and no infinities, and takes 5.0 for an integer; yaml differs.
_extend: Any = validators.extend  # which has no types
_Defaulting = _extend(
    Draft202012Validator,
    {"properties": _fill_defaults},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"integer": _is_integer, "number": _is_number}
    ),
)
