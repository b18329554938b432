"""Say which setting puts right what makes images doubtful."""

from collections.abc import Sequence
from math import isfinite
from statistics import median
from typing import Protocol

from birdview.pixels.field import Field
from birdview.pixels.figures import Figures
from birdview.pixels.frame import Frame
from birdview.pixels.layout import Layout

ASK = "is `layout` right? `snakemake inspect` looks for one that is"

DIVISORS = 255, 4095, 65535
"""What most sensors' intensities are divided by, so that they are between 0 and 1."""


class HasFigures(Protocol):
    """An image, of which only the figures count here."""

    @property
    def figures(self) -> Figures:
        """What its points look like."""


def advise_unit(images: Sequence[HasFigures], layout: Layout) -> str:
    """Advise on coordinates that are in another unit than metres."""
    reach = median(image.figures.reach for image in images)
    if median(image.figures.far for image in images) <= reach > 2:
        return (
            f"all points are about {reach:.2g} m away: are they those of a map? "
            f"Subtract the place of the sensor"
        )
    for unit, scale, by in (
        ("millimetres", "/", 1000),
        ("centimetres", "/", 100),
        ("kilometres", "*", 1000),
    ):
        metres = reach / by if scale == "/" else reach * by
        if 2 <= metres <= 100:
            fields = ", ".join(
                f"{layout.fields[k].label}: {layout.fields[k].type}{scale}{by}"
                for k in layout.columns[:3]
                if k is not None
            )
            return f"are they in {unit}? In the layout, `{fields}`"
    return ASK


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
            f"give `{field.name}` a factor and an offset in the layout, such as "
            f"`{field.type}*0.025+1.75` for -70 to -30 dB"
        )
    if sum(image.figures.negative for image in images):
        return ASK
    greatest = max(image.figures.greatest for image in images)
    stored = greatest * field.divisor / field.factor
    if stored <= 1:
        return f"in the layout, `{field.name}: {field.type}`"
    divisor = next((one for one in DIVISORS if stored <= one), None)
    if divisor is None:
        return f"divide `{field.name}` in the layout, or set `clip: true` there"
    return (
        f"in the layout, `{field.name}: {field.type}/{divisor}`; or `clip: true`, if "
        f"few are above 1"
    )


def advise_factor(images: Sequence[HasFigures], layout: Layout) -> str:
    """Advise on intensities that are too small to be seen."""
    field = _intensity(layout)
    greatest = max(image.figures.greatest for image in images)
    if field is None or greatest <= 0:
        return ASK
    divisor = greatest * field.divisor / field.factor
    return f"in the layout, `{field.name}: {field.type}/{divisor:.2g}` and `clip: true`"


def _intensity(layout: Layout) -> Field | None:
    number = layout.columns[3]
    return None if number is None else layout.fields[number]
