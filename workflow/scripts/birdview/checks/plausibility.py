"""Judge whether images can be right, by the counts and figures in their text.

Each kind of doubt has one entry in `CHECKS`. None of them may warn of a scan that is
right: the limits were set on real scans of KITTI, nuScenes and others.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from math import isfinite, isnan
from statistics import median
from typing import NamedTuple

from birdview.checks.advice import (
    ASK,
    advise_divisor,
    advise_factor,
    advise_header,
    advise_height,
    advise_unit,
    say_field,
)
from birdview.counts import Counts
from birdview.pixels.assembly import Joined
from birdview.pixels.encoding import Encoding
from birdview.pixels.figures import BLOCK, TINY, Figures
from birdview.pixels.frame import HEIGHT
from birdview.pixels.kinds import FOLDERS, Kind, recognise_folder
from birdview.pixels.layout import Layout

ROAD = -HEIGHT
"""Where encodings assume the road, in metres."""

MIN_POINTS = 1000
"""Scans with fewer points are not judged by where their points are."""
MIN_NEAR = 300
"""Points from which the height of the road is known."""
MAX_HEIGHT_ERROR, MAX_SLOPE = 0.5, 0.8
"""Metres that the road may be off, and may rise from one side of the sensor to the
other, 14 m away."""
FLAT = 0.35
"""The share of the points near the sensor that are on a road that is not tilted."""
REACHES = 0.5, 400.0
"""Metres: half of the points of a scan are nearer than something between."""
MAX_ODD = 0.2
"""The share of points that may look like other numbers."""
IN_A_LAYER = 0.97
"""If more of the points near the sensor are in a layer, it is no road."""
MAX_BELOW = 0.1
"""The share of the points near the sensor that may be below the road, if there are
fewer above."""
MAX_OUTSIDE = 0.9
MAX_BRIGHT, MAX_NEGATIVE, DIM = 0.002, 0.01, 0.99
MAX_NO_RETURN = 0.25
MIN_SCALE_SHARE = 0.15
MIN_CELLS = 100
MIN_COMPARED, MAX_REPEATED = 12, 0.4
SHORT, CUT = 0.5, 0.8
"""A scan is short if it has less than these shares of the points of scans around it;
the second, if its size is a whole number of blocks."""
AROUND = 4
"""Scans before and after that are compared with a scan."""

ONE = Joined()
"""Of an image of a single file."""
FOLDER = "folder"
"""The kind of scans that are in a folder of other files."""
INTENSITY_STATISTICS = {"intensity_at_max", "max_intensity", "mean_intensity"}
INTENSITY_WORDS = (
    *("intens", "refl", "remiss", "strength", "amplitude", "power", "signal"),
    *("echo", "bright", "albedo", "rcs"),
)
"""Parts of the names of fields that may be an intensity."""


class Drawn(NamedTuple):
    """An image, as its text describes it.

    Attributes
    ----------
    encoding : Encoding
    scan : str
        The name of the scan.
    counts : Counts
    figures : Figures
    joined : Joined
    """

    encoding: Encoding
    scan: str
    counts: Counts
    figures: Figures
    joined: Joined = ONE


class Warned(NamedTuple):
    """A doubt about an image: a row of `warnings.tsv`.

    Attributes
    ----------
    kind : str
        The name of its entry in `CHECKS`.
    encoding : str
        The name of the encoding; ``-`` for all of them.
    scan : str
    found : str
        What was found, with figures.
    advice : str
        What to set or to do.
    """

    kind: str
    encoding: str
    scan: str
    found: str
    advice: str


class Check(NamedTuple):
    """A kind of doubt.

    Attributes
    ----------
    kind : str
        Its name.
    find : function
        Returns what was found, of each image in doubt, by its position in the list.
    advise : function
        Returns what to do about images in doubt.
    of_encoding : bool
        Whether it depends on the encoding. Others are judged once for each scan.
    of_intensity : bool
        Whether it is about intensities: only images that show them are judged.
    of_place : bool
        Whether it is about where the points are. Of these kinds, a scan gets the first
        that applies: the others follow from it. What is in the wrong folder gets no
        other kind at all.
    """

    kind: str
    find: Callable[[Sequence[Drawn], Layout], dict[int, str]]
    advise: Callable[[Sequence[Drawn], Layout], str]
    of_encoding: bool = False
    of_intensity: bool = False
    of_place: bool = False


def judge(images: Sequence[Drawn], layout: Layout) -> list[Warned]:
    """Judge the images of a run.

    Parameters
    ----------
    images : sequence of Drawn
        Of all encodings, those of each sorted by the names of their scans.
    layout : Layout

    Returns
    -------
    list of Warned
        By kind, in the order of `CHECKS`, then by encoding and scan.
    """
    of_encodings: dict[str, list[Drawn]] = {}
    for image in images:
        of_encodings.setdefault(image.encoding.name, []).append(image)
    of_scans = _one_of_each_scan(images)
    with_intensity = _one_of_each_scan(filter(_shows_intensity, images))
    warned: list[Warned] = []
    explained: set[str] = set()
    misfiled: set[str] = set()
    for check in CHECKS:
        once = {"-": with_intensity if check.of_intensity else of_scans}
        groups = of_encodings if check.of_encoding else once
        known = explained if check.of_place else misfiled
        for name, group in groups.items():
            found = check.find(group, layout)
            found = {k: v for k, v in found.items() if group[k].scan not in known}
            if not found:
                continue
            advice = check.advise([group[k] for k in found], layout)
            warned += [
                Warned(check.kind, name, group[k].scan, text, advice)
                for k, text in found.items()
            ]
        scans = {one.scan for one in warned if one.kind == check.kind}
        explained |= scans if check.of_place else set()
        misfiled |= scans if check.kind == FOLDER else set()
    return warned


def _one_of_each_scan(images: Iterable[Drawn]) -> list[Drawn]:
    """Return the first image of each scan."""
    first: dict[str, Drawn] = {}
    for image in images:
        first.setdefault(image.scan, image)
    return list(first.values())


def _each(
    find: Callable[[Drawn, Layout], str],
) -> Callable[[Sequence[Drawn], Layout], dict[int, str]]:
    """Make a check of single images one of all images."""

    def find_all(images: Sequence[Drawn], layout: Layout) -> dict[int, str]:
        found = ((k, find(image, layout)) for k, image in enumerate(images))
        return {k: text for k, text in found if text}

    return find_all


def _says(text: str) -> Callable[[Sequence[Drawn], Layout], str]:
    return lambda images, layout: text


def _percent(part: float, whole: float) -> str:
    share = 100 * part / whole
    return f"{share:.0f} %" if share >= 1 else f"{share:.1g} %"


def _shows_intensity(image: Drawn) -> bool:
    return any(
        channel.statistic in INTENSITY_STATISTICS or channel.of == "intensity"
        for channel in image.encoding.channels
    )


def _candidates(counts: Counts) -> int:
    """Return how many points could be drawn if they were at the right place."""
    return counts.outside + counts.drawn


def _find_empty(image: Drawn, layout: Layout) -> str:
    counts = image.counts
    if not counts.read:
        return "the file is empty"
    if _candidates(counts):
        return ""
    return (
        f"none of {counts.read} points could be drawn: {counts.nonfinite} not finite, "
        f"{counts.no_return} without a return"
    )


def _find_record(image: Drawn, layout: Layout) -> str:
    figures = image.figures
    if figures.sampled < MIN_CELLS:
        return ""
    if figures.tiny > MAX_ODD * figures.sampled:
        share = _percent(figures.tiny, figures.sampled)
        return f"{share} of the points have a coordinate below {TINY:g} m, as integers"
    if figures.odd > MAX_ODD * figures.sampled:
        share = _percent(figures.odd, figures.sampled)
        return f"two coordinates of {share} of the points are the same number"
    return ""


def _find_header(image: Drawn, layout: Layout) -> str:
    tiny = image.figures.tiny
    if not 0 < tiny <= MAX_ODD * image.figures.sampled:
        return ""
    return (
        f"{tiny} of {image.figures.sampled} points looked at have a coordinate below "
        f"{TINY:g} m, which is none"
    )


def _find_units(image: Drawn, layout: Layout) -> str:
    figures = image.figures
    least, most = REACHES
    if figures.sampled < MIN_POINTS or least <= figures.reach < most:
        return ""
    side = "nearer" if figures.reach < least else "farther"
    limit = figures.reach if figures.reach < least else figures.reach / 2**0.5
    return f"half of the points are {side} than {limit:.4g} m from the sensor"


def _has_road(image: Drawn) -> bool:
    figures = image.figures
    return (
        figures.sampled >= MIN_POINTS
        and figures.near >= MIN_NEAR
        and isfinite(figures.road)
    )


def _find_height(images: Sequence[Drawn], layout: Layout) -> dict[int, str]:
    """Find scans whose road is not where it should be, if that is so for most."""
    roads = {k: one.figures.road for k, one in enumerate(images) if _has_road(one)}
    if not roads or abs(median(roads.values()) - ROAD) <= MAX_HEIGHT_ERROR:
        return {}
    return {
        k: f"the road seems to be at z = {road:.2f} m, expected {ROAD} m; "
        f"{_describe_outside(images[k].counts)}"
        for k, road in roads.items()
        if abs(road - ROAD) > MAX_HEIGHT_ERROR
    }


def _advise_height(images: Sequence[Drawn], layout: Layout) -> str:
    figures = [image.figures for image in images]
    if median(one.on_road / one.near for one in figures) > IN_A_LAYER:
        return ASK
    below = median(one.below / one.near for one in figures)
    above = median(1 - (one.below + one.on_road) / one.near for one in figures)
    if below > max(MAX_BELOW, above):
        z = layout.fields[layout.columns[2] or 0]
        turned = say_field(z._replace(sign=-z.sign))
        return f"most points are below it: is z down? In the layout, `{turned}`"
    return advise_height(images, layout)


def _describe_outside(counts: Counts) -> str:
    return (
        f"{counts.outside} of {_candidates(counts)} points are outside, "
        f"{counts.outside_height} by height alone"
    )


def _find_tilt(images: Sequence[Drawn], layout: Layout) -> dict[int, str]:
    """Find scans whose road is tilted, if that is so for most."""
    slopes = {k: _slopes(one.figures) for k, one in enumerate(images) if _has_road(one)}
    shares = [images[k].figures.on_road / images[k].figures.near for k in slopes]
    if not slopes or median(shares) > FLAT:
        return {}
    found = {}
    for axis, words in enumerate(
        ("ahead than behind", "on the left than on the right")
    ):
        known = {k: pair[axis] for k, pair in slopes.items() if not isnan(pair[axis])}
        if not known or abs(median(known.values())) <= MAX_SLOPE:
            continue
        for k, slope in known.items():
            if abs(slope) > MAX_SLOPE:
                side = "higher" if slope > 0 else "lower"
                found[k] = f"the road is {abs(slope):.1f} m {side} {words}"
    return dict(sorted(found.items()))


def _slopes(figures: Figures) -> tuple[float, float]:
    return figures.ahead - figures.behind, figures.left - figures.right


def _find_outside(image: Drawn, layout: Layout) -> str:
    counts, candidates = image.counts, _candidates(image.counts)
    least = 1 if not counts.drawn else MIN_POINTS
    if candidates < least or counts.outside < MAX_OUTSIDE * candidates:
        return ""
    return _describe_outside(counts)


def _advise_outside(images: Sequence[Drawn], layout: Layout) -> str:
    by_height = sum(image.counts.outside_height for image in images)
    if 2 * by_height > sum(image.counts.outside for image in images):
        return "set the `frame`'s height, or use an encoding that shows these heights"
    return ASK


def _find_bright(image: Drawn, layout: Layout) -> str:
    figures = image.figures
    if not figures.sampled:
        return ""
    if not layout.clip and figures.bright > MAX_BRIGHT * figures.sampled:
        share = _percent(figures.bright, figures.sampled)
        return f"{share} of the intensities are above 1, up to {figures.greatest:.4g}"
    if figures.negative > MAX_NEGATIVE * figures.sampled:
        share = _percent(figures.negative, figures.sampled)
        return f"{share} of the intensities are below 0, down to {figures.least:.4g}"
    return ""


def _is_constant(figures: Figures) -> bool:
    return figures.sampled >= MIN_CELLS and figures.least == figures.greatest


def _find_dim(image: Drawn, layout: Layout) -> str:
    figures = image.figures
    is_dim = figures.dim >= DIM * max(figures.sampled, MIN_CELLS)
    if not is_dim or _is_constant(figures):
        return ""
    if figures.negative:
        return ""  # another kind
    share = _percent(figures.dim, figures.sampled)
    return (
        f"{share} of the intensities are below 4/255, which is all but black, and the "
        f"greatest is {figures.greatest:.4g}"
    )


def _find_constant(image: Drawn, layout: Layout) -> str:
    *_, intensity = layout.columns
    if intensity is None or not _is_constant(image.figures):
        return ""
    return f"all intensities are {image.figures.least:.4g}"


def _unnamed_intensity(layout: Layout) -> str:
    """Return a field that may be the intensity, if the layout names none."""
    if layout.columns[3] is not None:
        return ""
    return next(
        (
            field.name
            for field in layout.fields
            if any(word in field.name.lower() for word in INTENSITY_WORDS)
            and not field.name.startswith("unused_")
        ),
        "",
    )


def _find_absent(image: Drawn, layout: Layout) -> str:
    name = _unnamed_intensity(layout)
    if not name:
        return ""
    return f"no intensity is read, although the layout has a field {name}"


def _advise_absent(images: Sequence[Drawn], layout: Layout) -> str:
    name = _unnamed_intensity(layout)
    return (
        f"in the layout, call the field {name} `intensity`; or `unused_{name}`, if it "
        f"is none"
    )


def _find_no_return(image: Drawn, layout: Layout) -> str:
    read = image.counts.read
    if layout.choice.min_range > 0 or read < MIN_POINTS:
        return ""
    count = image.counts.no_return
    if layout.is_records:
        count -= image.figures.zero_bytes // layout.record.itemsize  # another kind
    if count < MAX_NO_RETURN * read:
        return ""
    return f"{count} of {read} points ({_percent(count, read)}) are at (0, 0, 0)"


def _find_range(image: Drawn, layout: Layout) -> str:
    if image.counts.cells < MIN_CELLS or image.figures.scale_share >= MIN_SCALE_SHARE:
        return ""
    share = _percent(image.figures.scale_share, 1)
    return f"a few pixels set the range of a plane: others use {share} of its shades"


def _find_duplicates(image: Drawn, layout: Layout) -> str:
    figures = image.figures
    if layout.choice.drops_duplicates or figures.compared < MIN_COMPARED:
        return ""
    if figures.repeated < MAX_REPEATED * figures.compared:
        return ""
    share = _percent(figures.repeated, figures.compared)
    return f"about {share} of the points repeat another one exactly"


def _find_zeros(image: Drawn, layout: Layout) -> str:
    zeros = image.figures.zero_bytes
    if not zeros:
        return ""
    has_size = layout.is_records and image.joined.files == 1
    of_all = f" of {_size(image, layout)}" if has_size else ""
    return f"the last {zeros}{of_all} bytes are zeros, from the start of a block on"


def _size(image: Drawn, layout: Layout) -> int:
    return layout.skip + image.counts.read * layout.record.itemsize


def _find_short(images: Sequence[Drawn], layout: Layout) -> dict[int, str]:
    """Find scans that have far fewer points than those around them in their folder."""
    found = {}
    folders = [image.scan.rpartition("/")[0] for image in images]
    for k, image in enumerate(images):
        around = [
            images[other].counts.read / images[other].joined.files
            for other in range(max(0, k - AROUND), min(len(images), k + AROUND + 1))
            if other != k and folders[other] == folders[k]
        ]
        if not around:
            continue
        files = image.joined.files
        usual, read = median(around), image.counts.read / files
        if sum(abs(one - usual) < 0.2 * usual for one in around) < len(around) / 2:
            continue  # they differ anyway
        size = _size(image, layout) if layout.is_records and files == 1 else 0
        is_cut = size > 0 and size % BLOCK == 0 and 0 < read < CUT * usual
        if is_cut or (len(around) > 1 and read < SHORT * usual):
            found[k] = f"{read:.0f} points, but scans around it have {usual:.0f}"
            if is_cut:
                found[k] += f", and {size} bytes, a multiple of {BLOCK}"
    return found


def _find_without_partner(image: Drawn, layout: Layout) -> str:
    found, wanted = image.joined.sensors or (1, 1)
    if found == wanted:
        return ""
    return f"{found} of {wanted} scans of the sensors"


def _find_few_sweeps(images: Sequence[Drawn], layout: Layout) -> dict[int, str]:
    """Find scans without others around them, if all in their folder are like that.

    Some always are, at the beginning of a drive.
    """
    folders: dict[str, list[int]] = {}
    for k, image in enumerate(images):
        folders.setdefault(os.path.dirname(image.scan), []).append(k)
    found = dict[int, str]()
    for members in folders.values():
        few = {}
        for k in members:
            drawn, wanted = images[k].joined.sweeps or (1, 1)
            if drawn < wanted < len(members):
                few[k] = f"{drawn} of {wanted} scans are drawn"
        if len(few) == len(members):
            found |= few
    return found


def _check_folder(kind: Kind) -> Check:
    @cache
    def describe(folder: str) -> str:
        is_there = recognise_folder(f"{folder}/scan") is kind
        return f"in a folder of {kind.name}" if is_there else ""

    return Check(
        FOLDER,
        _each(lambda image, layout: describe(os.path.dirname(image.scan))),
        _says(kind.advice),
        of_place=True,
    )


CHECKS = (
    *map(_check_folder, FOLDERS),
    Check(
        "empty",
        _each(_find_empty),
        _says("copy the files again, or remove them if there is nothing in them"),
    ),
    Check("record", _each(_find_record), _says(ASK), of_place=True),
    Check("header", _each(_find_header), advise_header),
    Check("units", _each(_find_units), advise_unit, of_place=True),
    Check(
        "tilt",
        _find_tilt,
        _says(
            "set the mounting's angles, `frame: {pitch: ..., roll: ...}`: `snakemake "
            "inspect` measures them"
        ),
        of_place=True,
    ),
    Check("height", _find_height, _advise_height, of_place=True),
    Check(
        "outside",
        _each(_find_outside),
        _advise_outside,
        of_encoding=True,
        of_place=True,
    ),
    Check("intensity", _each(_find_bright), advise_divisor, of_intensity=True),
    Check("dark", _each(_find_dim), advise_factor, of_intensity=True),
    Check(
        "constant",
        _each(_find_constant),
        _says(
            "if there is none in the files, use an encoding without, or call the field "
            "`unused_intensity` in the layout"
        ),
        of_intensity=True,
    ),
    Check("no_intensity", _each(_find_absent), _advise_absent, of_intensity=True),
    Check(
        "no_return",
        _each(_find_no_return),
        _says(
            "they are beams without a return, and not drawn; if that is right, say so "
            "by `min_range: 0.1` in the layout"
        ),
    ),
    Check(
        "range",
        _each(_find_range),
        _says(
            "use an encoding with fixed ranges, such as mv3d; or leave outliers out by "
            "`keep: {z: {min: -10, max: 30}}` in the layout"
        ),
        of_encoding=True,
    ),
    Check(
        "duplicates",
        _each(_find_duplicates),
        _says("set `duplicates: drop` in the layout"),
    ),
    Check(
        "zeros",
        _each(_find_zeros),
        _says("a full disk or a broken copy leaves such files: copy them again"),
    ),
    Check(
        "short",
        _find_short,
        _says("compare their sizes with the originals, and copy them again"),
    ),
    Check(
        "sensors",
        _each(_find_without_partner),
        _says(
            "copy the scans that are missing, which must have the same name; or leave "
            "these out by `split`"
        ),
    ),
    Check(
        "sweeps",
        _find_few_sweeps,
        _says(
            "those around must be in the same folder, and have poses: is `step` the "
            "number of scans between them?"
        ),
    ),
)
"""All kinds of doubt, in the order in which they are told."""
