"""Derive a layout from the fields of a message."""

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import yaml
from numpy.typing import NDArray

from birdview.inspect.intensity import Scale, suggest_scale
from birdview.inspect.suggest import set_scale, write_layout
from birdview.pixels.field import (
    COORDINATES,
    INTENSITIES,
    PADDING,
    Field,
    check_names,
    meaning_of,
)
from birdview.pixels.layout import Layout
from birdview.unpack.cloud import Part, Shape

_MAX_LENGTH = 16
"""Numbers of a field that get names of their own; of more, all are padding."""
_SAMPLE = 100_000  # points of each message


class Derived(NamedTuple):
    """A layout, and how its intensity was found.

    Attributes
    ----------
    text : str
        The yaml.
    notes : list of str
        What a user has to know.
    """

    text: str
    notes: list[str]


def name_fields(shape: Shape) -> Layout:
    """Return the layout of records, with an intensity as it is stored.

    Raises
    ------
    ValueError
        If a coordinate is missing.
    """
    names = _choose_names([part.name for part in shape.parts])
    fields: list[Field] = []
    end = 0
    for part, name in zip(shape.parts, names, strict=True):
        fields += _pad(part.offset - end)
        fields += _split(part, name)
        end = part.end
    fields += _pad(shape.step - end)
    fields = _number_repeated(fields)
    check_names([field.name for field in fields])
    endian = "big" if shape.is_big_endian else "little"
    return Layout("", tuple(fields), endian=endian)


def _choose_names(found: Sequence[str]) -> list[str]:
    """Return valid names; of each coordinate and of the intensity, the best one."""
    clean = [_clean(name) for name in found]
    meanings = [
        "intensity" if name in INTENSITIES else name if name in COORDINATES else ""
        for name in clean
    ]
    chosen: dict[int, str] = {}
    for meaning in (*COORDINATES, "intensity"):
        exact = [n for n, one in enumerate(meanings) if one == meaning]
        # Ouster's intensity goes before its reflectivity.
        exact.sort(key=lambda n: clean[n] != meaning)
        alike = [n for n, name in enumerate(clean) if meaning_of(name) == meaning]
        if exact:
            chosen[exact[0]] = clean[exact[0]]
        elif alike:
            chosen[alike[0]] = meaning
    return [
        chosen.get(n) or (f"unused_{name}" if meanings[n] or meaning_of(name) else name)
        for n, name in enumerate(clean)
    ]


def _clean(name: str) -> str:
    """Return a name that a layout may have, which yaml takes for a text."""
    valid = re.sub(r"[^A-Za-z0-9_]", "_", name) or PADDING
    return valid if yaml.safe_load(valid) == valid else f"field_{valid}"


def _split(part: Part, name: str) -> list[Field]:
    if part.length == 1:
        return [Field(name, part.type)]
    names = [f"{name}_{number}" for number in range(part.length)]
    if part.length > _MAX_LENGTH or name == PADDING:
        names = [PADDING] * part.length
    return [Field(one, part.type) for one in names]


def _pad(size: int) -> list[Field]:
    """Return fields without a meaning, of so many bytes."""
    fields = []
    for width in (8, 4, 2, 1):
        fields += [Field(PADDING, f"uint{8 * width}")] * (size // width)
        size %= width
    return fields


def _number_repeated(fields: Sequence[Field]) -> list[Field]:
    """Give each field with a name that another has a number."""
    seen: set[str] = set()
    numbered = []
    for field in fields:
        name, number = field.name, 2
        while name in seen and name != PADDING:
            name, number = f"{field.name}_{number}", number + 1
        if meaning_of(name) and name not in (*COORDINATES, *INTENSITIES):
            name = f"unused_{name}"
        seen.add(name)
        numbered.append(field._replace(name=name))
    return numbered


def sample_intensity(layout: Layout, records: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return intensities of a message, evenly spread; none if it has none."""
    *_, number = layout.columns
    if number is None:
        return np.empty(0)
    values = records.view(layout.record)[f"f{number}"]
    with np.errstate(invalid="ignore"):  # signalling NaN
        sampled = values[:: 1 + len(values) // _SAMPLE].astype(np.float64)
    return sampled


def derive_layout(
    layout: Layout, intensities: Sequence[NDArray[np.float64]], source: str
) -> Derived:
    """Return the layout with a scale of the intensity, as `snakemake inspect` finds it.

    Parameters
    ----------
    layout : Layout
        As `name_fields` returns it.
    intensities : sequence of ndarray of float64
        Those of some messages.
    source : str
        The bag and the topic, for the description.
    """
    *_, number = layout.columns
    notes = []
    if number is None:
        notes = ["there is no intensity"]
    else:
        values = np.concatenate(intensities)
        scale = suggest_scale(values)
        layout = set_scale(layout, scale)
        notes = [_explain(layout.fields[number].name, scale, values, len(intensities))]
    text = write_layout(layout, {}, f"Point clouds of {source}.", notes)
    return Derived(text, notes)


def _explain(
    name: str, scale: Scale | None, values: NDArray[np.float64], messages: int
) -> str:
    some = "1 message" if messages == 1 else f"{messages} messages"
    finite = values[np.isfinite(values)]
    if not finite.any():
        return f"{name} is 0 in the first {some}: set its scale if it is not always"
    ends = f"{finite.min():g} to {finite.max():g} in the first {some}"
    if scale is None:
        return f"{name} is {ends}: set its scale, it must be from 0 to 1"
    how = "as it is" if str(scale) == "" else f"as {scale}"
    return f"{name} is {ends}, and is taken {how}"
