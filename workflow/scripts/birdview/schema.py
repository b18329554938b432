"""Schemas: settings are checked against them, and defaults filled in from them."""

from copy import deepcopy
from math import isfinite
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import best_match

SCHEMAS = Path(__file__).parents[2] / "schemas"


def conform(settings, schema, source):
    """Return the settings with the schema's defaults in place of what is not given.

    Parameters
    ----------
    settings : mapping
        As read from yaml; left as it is.
    schema : str
        The name of a schema: ``config`` or ``encoding``.
    source : str or path-like
        Where the settings come from, for the message.

    Raises
    ------
    ValueError
        If the settings do not conform: one line that names the source and the key,
        what was found and what was expected.
    """
    if settings is None:
        raise ValueError(f"{source}: nothing in it, expected keys and values")
    settings = deepcopy(settings)
    rules = yaml.safe_load((SCHEMAS / f"{schema}.schema.yaml").read_text())
    error = best_match(_Defaulting(rules).iter_errors(settings))
    if error is None:
        return settings
    message = error.message
    if error.validator == "additionalProperties":
        message += f"; allowed: {', '.join(error.schema['properties'])}"
    keys = "".join(f"{key}: " for key in error.absolute_path)
    raise ValueError(f"{source}: {keys}{message}")


def _fill_defaults(validator, properties, instance, schema):
    if validator.is_type(instance, "object"):
        for key, rule in properties.items():
            if "default" in rule:
                instance.setdefault(key, deepcopy(rule["default"]))
    yield from Draft202012Validator.VALIDATORS["properties"](
        validator, properties, instance, schema
    )


def _is_integer(_, value):
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(checker, value):
    is_float = isinstance(value, float) and isfinite(value)
    return is_float or _is_integer(checker, value)


# JSON has neither NaN nor infinities, and takes 5.0 for an integer; yaml is not so.
_Defaulting = validators.extend(
    Draft202012Validator,
    {"properties": _fill_defaults},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"integer": _is_integer, "number": _is_number}
    ),
)
