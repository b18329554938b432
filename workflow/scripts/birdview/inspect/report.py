"""Say on the terminal what an inspection found."""

from collections.abc import Iterator, Mapping, Sequence

from birdview.inspect.findings import Findings, Numbers
from birdview.inspect.sample import Group
from birdview.inspect.scans import Family
from birdview.inspect.suggest import describe_box, write_mapping
from birdview.inspect.view import Share
from birdview.pixels.kinds import recognise_suffix
from birdview.pixels.layout import Layout

_GROUPS, _LAYOUTS, _NOTES = 8, 6, 6
"""Lines of each part, at most."""
_NOT_READ = "what was read of it holds no points of a scan"


def format_report(found: Findings, settings: Sequence[str], page: str) -> str:
    """Return what was found, in less than 60 lines.

    Parameters
    ----------
    found : Findings
    settings : sequence of str
        The files of settings that were written, the likeliest first.
    page : str
        The page with pictures.
    """
    lines = [found.folder, "", *format_groups(found.groups)]
    scans = [family for family in found.families if family.are_scans]
    if found.families:
        lines += ["", *format_layouts(found.families[0])]
    if found.numbers is not None:
        lines += ["", *format_numbers(found.numbers, found.advice[0].layout)]
    if found.notes:
        lines += ["", "Notes", *(f"  {note}" for note in found.notes[:_NOTES])]
    if scans:
        lines += ["", *_format_yours(found)]
        lines += ["", *_format_advice(found, settings), "", f"Pictures: {page}"]
    else:
        lines += [*_explain_nothing(found), "", f"All of it: {page}"]
    return "\n".join(lines)


def format_groups(groups: Sequence[Group]) -> Iterator[str]:
    """Yield the files by suffix and kind, a line each."""
    total = sum(len(group.paths) for group in groups)
    yield f"Files: {total:,}"
    for group in groups[:_GROUPS]:
        yield f"  {len(group.paths):>9,}  {group.name}{_describe_kind(group)}"
    if len(groups) > _GROUPS:
        rest = sum(len(group.paths) for group in groups[_GROUPS:])
        yield f"  {rest:>9,}  in {len(groups) - _GROUPS} more groups"


def _describe_kind(group: Group) -> str:
    kind = group.kind or group.place
    return f": {kind.name}" if kind else ""


def format_layouts(family: Family) -> Iterator[str]:
    """Yield the built-in layouts, and why they do not fit."""
    if family.schema:
        yield f"Fields: {family.schema}"
    yield describe_opinions(family)
    for one in family.opinions[:_LAYOUTS]:
        what = f"fits {one.share:.0%} of the files" if one.share else one.problem
        yield f"  {one.name:<20} {one.score:4.2f}  {what}"
    if family.record and not family.schema:
        yield f"None of them fits; the records are {family.label}."


def describe_opinions(family: Family) -> str:
    """Return what the table of built-in layouts is about."""
    count = len(family.files)
    if family.opinions:
        return f"Built-in layouts, best first; files that were read: {count}"
    kind = family.schema.format if family.schema else ""
    return f"No built-in layout is for {kind} files; files that were read: {count}"


def format_numbers(numbers: Numbers, layout: Layout) -> Iterator[str]:
    """Yield extents and percentiles, and what the scene shows."""
    yield f"Points: {numbers.title}"
    yield f"  {'':<12}" + "".join(
        f"{name:>10}" for name in ("least", "1%", "median", "99%", "greatest")
    )
    for one in numbers.quantiles:
        yield f"  {one.name:<12}" + "".join(f"{value:>10.4g}" for value in one.values)
    yield from (f"  {line}" for line in describe_scene(numbers, layout))


def describe_scene(numbers: Numbers, layout: Layout) -> Iterator[str]:
    """Yield what the scene shows: the road, the intensity, the vehicle."""
    mounting = numbers.scene.mounting
    if mounting is not None:
        up = mounting.up
        axis = int(abs(up).argmax())
        sign = "-" if up[axis] < 0 else ""
        side = "below" if mounting.height >= 0 else "above"
        yield (
            f"up is {sign}{'xyz'[axis]}; the road is {abs(mounting.height):.2f} m "
            f"{side} the origin (found in {mounting.scans} of "
            f"{len(numbers.scene.clouds)} files)"
        )
        yield f"pitch {mounting.pitch:.1f}, roll {mounting.roll:.1f} degrees"
    if numbers.scale is not None:
        scale = numbers.scale
        clipped = ", clipped" if scale.clip else ""
        yield f"the intensity suggests: {str(scale) or 'as it is'}{clipped}"
    elif any(cloud.intensity is not None for cloud in numbers.scene.clouds):
        yield "the intensity suggests nothing: it is 0 everywhere, or no intensity"
    vehicle = numbers.vehicle
    if vehicle is not None:
        box = describe_box(vehicle, numbers.axes, layout)
        sure = "" if vehicle.is_sure else "probably "
        share = f"{vehicle.share:.1%} of the points"
        yield f"{sure}the vehicle itself: {share}, which this leaves out:"
        yield f"  without: {write_mapping(box)}"


def _format_yours(found: Findings) -> Iterator[str]:
    if not found.yours:
        if found.advice:
            yield "Your settings fit."
        return
    yield "Your settings do not fit:"
    yield from (f"  {problem}" for problem in found.yours[:_NOTES])
    if len(found.yours) > _NOTES:
        yield f"  and {len(found.yours) - _NOTES} more problems"


def _format_advice(found: Findings, settings: Sequence[str]) -> Iterator[str]:
    if len(settings) > 1:
        yield "The scene does not tell which way is forward: look at both pictures."
    for number, (advice, view, path) in enumerate(
        zip(found.advice, found.views, settings, strict=False)
    ):
        label = ("Suggested", "Or")[number]
        layout = advice.layout.name or "a layout of your own, beside it"
        frame = f", frame: {write_mapping(advice.frame)}" if advice.frame else ""
        yield f"{label}: {path} (layout: {layout}{frame}; {advice.meaning})"
        yield f"  {describe_shares(view.shares)}" if view.shares else ""
        if view.error:
            yield f"  {view.error}"
    yield "Render with it:"
    yield f"  snakemake --cores 8 --configfile {settings[0]}"


def describe_shares(shares: Mapping[str, Share]) -> str:
    """Return how much each encoding draws."""
    return "; ".join(
        f"{name}: {share.inside:.0%} of the points, {share.pixels:.1%} of the pixels"
        + (f", {share.height:.0%} outside by height" if share.height > 0.05 else "")
        for name, share in shares.items()
    )


def _explain_nothing(found: Findings) -> Iterator[str]:
    """Yield what to do with files that are no scans."""
    yield ""
    yield "No scan was found that birdview can read."
    told: set[str] = set()
    for group in found.groups:
        kind = group.kind or group.place or recognise_suffix(group.suffix)
        if kind and kind.name not in told and len(told) < _NOTES:
            told.add(kind.name)
            advice = _NOT_READ if group.format else kind.advice
            yield f"  {group.name} is {kind.name}: {advice}"
