"""Inspect a folder: what its files are, and which settings render them right."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from birdview.files import PathLike
from birdview.fit import PLAIN, Fit, fit_layouts
from birdview.inspect import suggest
from birdview.inspect.cloud import Vehicle, find_vehicle
from birdview.inspect.contents import (
    Contents,
    describe_errors,
    read_contents,
    read_groups,
)
from birdview.inspect.intensity import Scale, suggest_scale
from birdview.inspect.records import UNITS, Record, find_doubt
from birdview.inspect.sample import MAX_SCANS, Group, list_groups, spread
from birdview.inspect.scans import Family, describe_types
from birdview.inspect.suggest import Advice, Scene
from birdview.inspect.tables import Schema, Table, to_records
from birdview.inspect.view import View, draw_view
from birdview.pixels.encoding import Encoding
from birdview.pixels.layout import RECORDS, Layout, load_layout

_QUANTILES = 0, 1, 50, 99, 100
_FEW = 8  # names in `match`


class Quantiles(NamedTuple):
    """Quantiles of a number over all points that were read.

    Attributes
    ----------
    name : str
    values : tuple of float
        The least, 1 %, the median, 99 %, and the greatest.
    """

    name: str
    values: tuple[float, ...]


class Numbers(NamedTuple):
    """What the numbers of the scans are, in the axes of the file.

    Attributes
    ----------
    title : str
        The types of a record, unless files name their columns; and the unit.
    axes : Layout
        What the coordinates of the file are read as: its frame is not used.
    scene : Scene
    quantiles : list of Quantiles
        Of x, y and z in metres, and of the intensity as it is stored.
    scale : Scale or None
        What the intensities suggest.
    vehicle : Vehicle or None
    """

    title: str
    axes: Layout
    scene: Scene
    quantiles: list[Quantiles]
    scale: Scale | None
    vehicle: Vehicle | None


class Findings(NamedTuple):
    """Everything that is known about a folder.

    Attributes
    ----------
    folder : str
    groups : list of Group
    families : list of Family
        The first one is that of the scans; none if nothing is a scan.
    match : list of str
        Patterns of the scans, if there are other files with their suffix.
    suffix : str
        Of the scans.
    numbers : Numbers or None
    advice : list of Advice
        The likeliest first.
    views : list of View
        One for each of these.
    yours : list of str
        What is wrong with the settings as they are.
    notes : list of str
        What else a user should know.
    """

    folder: str
    groups: list[Group]
    families: list[Family]
    match: list[str]
    suffix: str
    numbers: Numbers | None
    advice: list[Advice]
    views: list[View]
    yours: list[str]
    notes: list[str]


def inspect_folder(
    folder: PathLike,
    layout: Layout,
    encodings: Sequence[Encoding],
    chosen: Sequence[str] | None = None,
    skip: PathLike | None = None,
) -> Findings:
    """Inspect a folder.

    Parameters
    ----------
    folder : path-like
    layout : Layout
        That of the settings.
    encodings : sequence of Encoding
        Those of the settings.
    chosen : sequence of str, optional
        The files that the settings choose, if they do: paths below the folder.
    skip : path-like, optional
        A folder below, whose files are not the user's: the results.

    Raises
    ------
    OSError
        If the folder cannot be read.
    """
    groups = list_groups(folder, skip)
    if chosen is not None:
        contents = read_contents(folder, spread(chosen, MAX_SCANS), groups)
        candidates = groups
    else:
        contents, candidates = read_groups(folder, groups)
    files, families = contents.files, contents.families
    errors = [*describe_errors(contents, groups)]
    found = Findings(
        os.path.abspath(folder), groups, families, [], "", None, [], [], [], errors
    )
    if not families or not families[0].are_scans:
        for family in families:
            errors += _describe_tables(family)
        return found._replace(yours=judge_settings(layout, contents, groups))
    family = families[0]
    match: list[str] = []
    notes: list[str] = []
    suffix = ""
    if chosen is None:
        match, suffix, notes = _choose_files(candidates, groups, families, files)
    inside = {
        path: data
        for path, data in family.files.items()
        if chosen is not None or path.endswith(suffix)
    }
    files_inside = list(inside.values())
    record, scene, advice = advise(family, files_inside)
    numbers = _measure(record, scene, family)
    return found._replace(
        families=families,
        match=match,
        suffix=suffix,
        numbers=numbers,
        advice=advice,
        views=[draw_view(inside, one.complete, encodings) for one in advice],
        yours=judge_settings(
            layout, contents, groups if chosen is None else [], (record, scene, inside)
        ),
        notes=errors
        + notes
        + [*_describe_tables(family)]
        + _describe_scene(numbers.scene, advice[0].layout),
    )


def _describe_tables(family: Family) -> Iterator[str]:
    """Yield what is particular about files of other formats than records."""
    schema = family.schema
    if schema is None:
        return
    if not family.is_likely:
        data = next(iter(family.files.values()))
        doubt = find_doubt(data, schema.records)
        doubt = doubt or "they look like none, without a road or an intensity"
        verb = "may be" if family.are_scans else "are"
        yield f"{schema.format} files that {verb} no scans: {doubt}"
    if any(schema.origin) and family.are_scans:
        origin = ", ".join(f"{number:.15g}" for number in schema.origin)
        yield (
            f"the coordinates are projected: the numbers are those without the origin "
            f"[{origin}], which must be the same for all scans of a run"
        )


def _choose_files(
    candidates: Sequence[Group],
    groups: Sequence[Group],
    families: Sequence[Family],
    files: Mapping[str, NDArray[np.uint8]],
) -> tuple[list[str], str, list[str]]:
    """Return `match` and the suffix of the first family, and notes on the others."""
    mine = families[0].files
    members = [group for group in candidates if any(p in mine for p in group.paths)]
    suffixes: Counter[str] = Counter()
    for group in members:
        suffixes[group.suffix] += len(group.paths)
    suffix = suffixes.most_common(1)[0][0]
    members = [group for group in members if group.suffix == suffix]
    patterns: list[str] = []
    for group in members:
        here = [path for path in files if path in set(group.paths)]
        own = [path for path in here if path in mine]
        if len(own) == len(here):
            patterns.append(group.pattern)
        elif len(here) == len(group.paths) and len(own) <= _FEW:
            patterns += own
        else:
            patterns.append(group.pattern)
    whole = {group.pattern for group in members} == set(patterns)
    others = any(g.suffix == suffix and g not in members for g in groups)
    notes = []
    for family in families[1:]:
        names = sorted(family.files)
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        verb = "fits" if family.known else "holds"
        notes.append(f"other files: {names[0]}{more} {verb} {family.label}")
    return ([] if whole and not others else patterns), suffix, notes


def advise(
    family: Family, files: Sequence[NDArray[np.uint8]]
) -> tuple[Layout, Scene, list[Advice]]:
    """Suggest how to render files of a family.

    Returns
    -------
    layout : Layout
        What the files hold, in their own axes.
    scene : Scene
        What they show, in these axes.
    advice : list of Advice
        The likeliest first.
    """
    if family.schema:
        return _advise_for_table(family, family.schema, files)
    if family.record:
        layout = suggest.describe_record(family.record, files)
        scene = suggest.survey(files, layout)
        return layout, scene, suggest.adapt(layout, scene)
    assert family.known is not None
    # The plainest layout can have any frame; those of data sets have theirs.
    plain = next(one for one in family.opinions if one.name == PLAIN)
    scene = suggest.survey(files, family.known)
    if advice := suggest.keep(family.known, scene):
        return family.known, scene, advice
    if plain.share == 1:
        layout = load_layout(PLAIN)
        scene_of_plain = suggest.survey(files, layout)
        if advice := suggest.keep(layout, scene_of_plain):
            return layout, scene_of_plain, advice
    return family.known, scene, suggest.adapt(family.known, scene)


def _advise_for_table(
    family: Family, schema: Schema, files: Sequence[NDArray[np.uint8]]
) -> tuple[Layout, Scene, list[Advice]]:
    """Suggest how to render files of another format than records, as `advise`."""
    if family.known:
        scene = suggest.survey(files, family.known)
        advice = suggest.keep(family.known, scene) or []
        is_turned = any("yaw" in one.frame for one in advice)
        # Axes that are turned are not those of the data set whose layout it is.
        if advice and not (is_turned and family.known.name != schema.format):
            return family.known, scene, advice
    record = family.record or Record(schema.records, 1.0, 1.0)
    layout = suggest.describe_table(record, schema, files)
    scene = suggest.survey(files, layout)
    return layout, scene, suggest.adapt(layout, scene, schema.has_names)


def _measure(layout: Layout, scene: Scene, family: Family) -> Numbers:
    position = np.concatenate([cloud.position for cloud in scene.clouds])
    quantiles = [
        Quantiles(name, tuple(np.percentile(values, _QUANTILES).tolist()))
        for name, values in zip("xyz", position.T, strict=True)
        if values.size
    ]
    *_, number = layout.columns
    scale = None
    if number is not None:
        field = layout.fields[number]
        found = [c.intensity for c in scene.clouds if c.intensity is not None]
        values = (np.concatenate(found) - field.offset) / field.factor * field.divisor
        values = values[np.isfinite(values)]
        scale = suggest_scale(values)
        if values.size:
            low_to_high = tuple(np.percentile(values, _QUANTILES).tolist())
            quantiles.append(Quantiles(field.name, low_to_high))
    mounting = scene.mounting
    vehicle = None
    if family.is_likely:
        vehicle = find_vehicle(
            scene.clouds,
            None if mounting is None else mounting.up,
            0.0 if mounting is None else mounting.height,
        )
    unit = f"coordinates in {_unit_of(layout)}"
    title = unit if family.schema else f"{describe_types(layout)}, {unit}"
    return Numbers(title, layout, scene, quantiles, scale, vehicle)


def judge_settings(
    layout: Layout,
    contents: Contents,
    groups: Sequence[Group],
    known: tuple[Layout, Scene, Mapping[str, NDArray[np.uint8]]] | None = None,
) -> list[str]:
    """Return what is wrong with a layout and its frame; nothing if it fits.

    Parameters
    ----------
    layout : Layout
    contents : Contents
    groups : sequence of Group
        All files.
    known : tuple of Layout, Scene and mapping of str to ndarray of uint8, optional
        What some of the files show, read by another layout.
    """
    mine = {p: data for p, data in contents.files.items() if p.endswith(layout.suffix)}
    found = [
        f"{group.name} ({len(group.paths):,} files) would be read too, but it is "
        f"{kind.name}: {kind.advice}"
        for group in groups
        if (kind := group.kind or group.place)
        and group.suffix.endswith(layout.suffix)
        and (layout.is_records or group.format != layout.format)
    ]
    if not mine:
        return found or [f"no file ends with {layout.suffix}"]
    fits = [_fit(layout, data, contents.tables.get(p)) for p, data in mine.items()]
    problems = Counter(fit.problem for fit in fits if fit.problem)
    if problems:
        count, bad = len(fits), sum(problems.values())
        found.insert(
            0,
            f"{bad} of the {count} that were read do not fit {layout.name}: "
            f"{problems.most_common(1)[0][0]}",
        )
    good = {p: mine[p] for p, fit in zip(mine, fits, strict=True) if not fit.problem}
    if not good:
        return found
    layout = next(fit.layout for fit in fits if not fit.problem)
    schemas = {contents.tables[p].schema for p in good if p in contents.tables}
    if len(schemas) > 1:
        return found  # as records, their scenes have different layouts
    if known and known[0].fields == layout.fields and known[2].keys() == good.keys():
        scene = known[1]  # it takes long to survey again
    else:
        scene = suggest.survey(list(good.values()), layout)
    return [
        *found,
        *suggest.judge(layout, scene),
        *suggest.judge_points(layout, scene),
    ]


def _fit(layout: Layout, data: NDArray[np.uint8], table: Table | None) -> Fit:
    """Judge how well a layout of any format fits a file of any format."""
    kind = table.schema.format if table else RECORDS
    if kind != layout.format:
        return Fit(layout, 0.0, f"they are {kind} files, expected {layout.format}")
    if table:
        try:
            layout = to_records(layout, table.schema)
        except ValueError as error:
            return Fit(layout, 0.0, str(error))
    return fit_layouts(data, [layout])[0]


def _describe_scene(scene: Scene, layout: Layout) -> list[str]:
    notes = []
    mounting = scene.mounting
    if mounting is None:
        notes.append("no road was found: height, tilt and direction are not judged")
    elif mounting.differs:
        notes.append(
            f"the road is tilted by another angle in each scan, {mounting.spread:.1f} "
            f"degrees apart: one frame cannot level them all"
        )
    shares = {
        "nonfinite": "are not finite",
        "no_return": "are beams without a return, at (0, 0, 0), which are left out",
    }
    for name, text in shares.items():
        share = float(np.median([getattr(cloud, name) for cloud in scene.clouds]))
        if share > 0.01:
            notes.append(f"{share:.0%} of the points {text}")
    return notes


def _unit_of(layout: Layout) -> str:
    """Return the unit of a layout's coordinates."""
    x = next(field for field in layout.fields if field.name == "x")
    return next(
        (name for by, name in UNITS.items() if x.divisor / x.factor == by), "metres"
    )
