"""Say which setting puts right what makes images doubtful."""

import json
import re
from collections.abc import Sequence
from math import isfinite
from statistics import median
from typing import Protocol

import yaml

from birdview.pixels.field import Field
from birdview.pixels.figures import Figures
from birdview.pixels.frame import Frame
from birdview.pixels.layout import Layout

ASK = "is `layout` right? `snakemake inspect` looks for one that is"

DIVISORS = 255, 4095, 65535
"""What most sensors' intensities are divided by, so that they are between 0 and 1."""

UNITS = {"millimetres": 0.001, "centimetres": 0.01, "kilometres": 1000.0}
"""Other units than metres that coordinates may be in."""


class HasFigures(Protocol):
    """An image, of which only the figures count here."""

    @property
    def figures(self) -> Figures:
        """What its points look like."""


def say_field(field: Field) -> str:
    """Return a field as a layout's yaml has it: ``-y: int16/1000``, ``y: -Y/1000``."""
    name, _, kind = str(field).partition(" ")
    return f"{_quote(name)}: {_quote(kind)}"


def _quote(text: str) -> str:
    """Return a text as yaml has it; a number from 0 needs no quotes."""
    if re.fullmatch(r"\d+", text):
        return text
    try:
        is_plain = yaml.safe_load(f"- {text}: {text}") == [{text: text}]
    except yaml.YAMLError:
        is_plain = False
    return text if is_plain else json.dumps(text, ensure_ascii=False)


def _scaled(
    field: Field, divisor: float = 1.0, factor: float = 1.0, offset: float = 0.0
) -> str:
    """Return a field with another scale, as `say_field`."""
    return say_field(field._replace(divisor=divisor, factor=factor, offset=offset))


def advise_header(images: Sequence[HasFigures], layout: Layout) -> str:
    """Advise on a few points that are none."""
    if not layout.is_records:
        return ASK
    return "is it a header? In the layout, `skip: 16`, if it has 16 bytes"


def advise_unit(images: Sequence[HasFigures], layout: Layout) -> str:
    """Advise on coordinates that are in another unit than metres."""
    reach = median(image.figures.reach for image in images)
    if median(image.figures.far for image in images) <= reach > 2:
        return (
            f"all points are about {reach:.2g} m away: are they those of a map? In the "
            f"layout, `origin: [x, y, z]`, the place of the sensor"
        )
    for unit, metres in UNITS.items():
        if 2 <= reach * metres <= 100:
            fields = ", ".join(
                _in_metres(layout.fields[k], metres)
                for k in layout.columns[:3]
                if k is not None
            )
            return f"are they in {unit}? In the layout, `{fields}`"
    return ASK


def _in_metres(field: Field, metres: float) -> str:
    """Return a coordinate in another unit, with what makes metres of it."""
    divisor, offset = field.divisor / field.factor / metres, field.offset * metres
    if divisor < 1:
        return _scaled(field, factor=1 / divisor, offset=offset)
    return _scaled(field, divisor, offset=offset)


def advise_height(images: Sequence[HasFigures], layout: Layout) -> str:
    """Advise on a road that is too high or too low."""
    road = median(image.figures.road for image in images)
    rows, shift = layout.frame.rotation, layout.frame.translation
    is_upright = rows == Frame().rotation
    if is_upright and shift[:2] == (0.0, 0.0) and isfinite(road):
        height = shift[2] - road
        return f"set `frame: {{height: {height:.2f}}}`, the height above the road"
    return "set another `frame`: `snakemake inspect` measures it"


def advise_divisor(images: Sequence[HasFigures], layout: Layout) -> str:
    """Advise on intensities that are not between 0 and 1."""
    field = _intensity(layout)
    if field is None:
        return ASK
    if max(image.figures.greatest for image in images) <= 0:
        return (
            f"give it a factor and an offset in the layout, such as "
            f"`{_scaled(field, factor=0.025, offset=1.75)}` for -70 to -30 dB"
        )
    if sum(image.figures.negative for image in images):
        return ASK
    greatest = max(image.figures.greatest for image in images)
    stored = greatest * field.divisor / field.factor
    if stored <= 1:
        return f"in the layout, `{_scaled(field)}`"
    divisor = next((one for one in DIVISORS if stored <= one), None)
    if divisor is None:
        return f"divide `{field.name}` in the layout, or set `clip: true` there"
    return (
        f"in the layout, `{_scaled(field, divisor)}`; or `clip: true`, if few are "
        f"above 1"
    )


def advise_factor(images: Sequence[HasFigures], layout: Layout) -> str:
    """Advise on intensities that are too small to be seen."""
    field = _intensity(layout)
    greatest = max(image.figures.greatest for image in images)
    if field is None or greatest <= 0:
        return ASK
    divisor = float(f"{greatest * field.divisor / field.factor:.2g}")
    return f"in the layout, `{_scaled(field, divisor)}` and `clip: true`"


def _intensity(layout: Layout) -> Field | None:
    number = layout.columns[3]
    return None if number is None else layout.fields[number]
