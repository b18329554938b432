"""Find out which files of a folder are scans of the same layout."""

import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from birdview.files import PathLike
from birdview.fit import UP_OR_DOWN, Fit, built_in_layouts, fit_layouts, read_file
from birdview.inspect.records import (
    ROAD_SCORE,
    UNITS,
    Record,
    find_record,
    find_unit,
)
from birdview.inspect.tables import TEXT, Schema, Table, to_records
from birdview.pixels.layout import Layout

_MAX_SEARCHES = 4  # for records that no built-in layout describes
_EQUAL = 0.12  # scores that differ by less may be those of the same layout
_FEW = 3  # files that such a record is found by


class Opinion(NamedTuple):
    """How well a built-in layout fits the files that were read.

    Attributes
    ----------
    name : str
    score : float
        The mean, from 0 to 1.
    share : float
        Of the files that it fits.
    problem : str
        Why it does not fit most of the others.
    """

    name: str
    score: float
    share: float
    problem: str


class Family(NamedTuple):
    """Files that the same layout fits.

    Attributes
    ----------
    known : Layout or None
        The built-in one.
    record : Record or None
        If there is none, a record that fits.
    files : dict of str to ndarray of uint8
        The content of those that were read, by their paths.
    opinions : list of Opinion
        Of all built-in layouts of their format, best first.
    schema : Schema or None
        What files of another format hold, which are repacked as records.
    """

    known: Layout | None
    record: Record | None
    files: dict[str, NDArray[np.uint8]]
    opinions: list[Opinion]
    schema: Schema | None = None

    @property
    def are_scans(self) -> bool:
        """Whether its files can be rendered."""
        return self.known is not None or self.record is not None

    @property
    def is_likely(self) -> bool:
        """Whether the numbers in its files look like those of scans."""
        return self.known is not None or (
            self.record is not None and self.record.score > 0
        )

    @property
    def label(self) -> str:
        """What its files hold."""
        if self.known:
            return self.known.name
        if self.schema:
            return str(self.schema)
        if self.record is None:
            return "no known layout"
        return describe_types(self.record.layout)


def open_files(
    folder: PathLike, paths: Sequence[str]
) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Yield paths and contents of files, but of those that are empty or unreadable."""
    for path in paths:
        try:
            data = read_file(os.path.join(folder, path))
        except OSError:
            continue
        if data.size:
            yield path, data


def find_families(files: Mapping[str, NDArray[np.uint8]]) -> list[Family]:
    """Divide files into families, those of most files first.

    Those that nothing fits are the last family.
    """
    fits = {path: fit_layouts(data) for path, data in files.items()}
    waiting = dict(files)
    families = _find_known(waiting, fits, built_in_layouts())
    for family in families:
        more = {p: d for p, d in waiting.items() if _belongs(p, family, fits[p])}
        if len(more) < len(family.files):
            family.files.update(more)
            for path in more:
                del waiting[path]
    families = _find_records(waiting, fits, families)
    rest = {
        path: data
        for path, data in waiting.items()
        if not any(path in family.files for family in families)
    }
    families.sort(key=lambda family: -len(family.files))
    if rest:
        opinions = _summarise([fits[path] for path in rest])
        families.append(Family(None, None, rest, opinions))
    return families


def find_families_of_tables(tables: Mapping[str, Table]) -> list[Family]:
    """Divide files of other formats into families, those of most files first.

    Those that are no scans are in families without a record.
    """
    by_schema: defaultdict[Schema, dict[str, NDArray[np.uint8]]] = defaultdict(dict)
    for path, table in tables.items():
        by_schema[table.schema][path] = table.data
    families = [
        family
        for schema, files in by_schema.items()
        for family in _divide_tables(schema, files)
    ]
    families.sort(key=lambda family: (not family.are_scans, -len(family.files)))
    return families


def _divide_tables(
    schema: Schema, files: dict[str, NDArray[np.uint8]]
) -> Iterator[Family]:
    """Yield families of files with the same columns."""
    layouts, unfit = [], []
    for layout in built_in_layouts(schema.format):
        try:
            layouts.append(to_records(layout, schema))
        except ValueError as error:
            unfit.append(Opinion(layout.name, 0.0, 0.0, str(error)))
    fits = {path: fit_layouts(data, layouts) for path, data in files.items()}
    waiting = dict(files)
    for family in _find_known(waiting, fits, layouts):
        if len(waiting) < len(family.files):  # a few that do not fit belong to others
            family.files.update(waiting)
            waiting = {}
        opinions = _summarise([fits[path] for path in family.files], layouts)
        yield family._replace(opinions=opinions + unfit, schema=schema)
    if waiting:
        # What looks like a tiny survey in metres is not one in millimetres.
        units = (1.0,) if any(schema.origin) else UNITS
        record = find_unit(list(waiting.values()), schema.records, units)
        if schema.format == TEXT:
            record = record if record and _is_scan(record, schema) else None
        elif record is None and schema.has_names:
            record = Record(schema.records, 1.0, 0.0)  # in metres, as is usual
        opinions = _summarise([fits[path] for path in waiting], layouts)
        yield Family(None, record, waiting, opinions + unfit, schema)


def _is_scan(record: Record, schema: Schema) -> bool:
    """Whether a table in text is more than a trajectory or a list of boxes."""
    has_intensity = schema.has_names and schema.intensity is not None
    return has_intensity or record.score > ROAD_SCORE


def _find_known(
    waiting: dict[str, NDArray[np.uint8]],
    fits: Mapping[str, Sequence[Fit]],
    layouts: Sequence[Layout],
) -> list[Family]:
    """Take files that fit layouts out of those that wait, and return their families."""
    order = {layout.name: number for number, layout in enumerate(layouts)}
    families = []
    while waiting:
        names: Counter[str] = Counter()
        scores: defaultdict[str, float] = defaultdict(float)
        for path in waiting:
            for fit in fits[path]:
                if fit.score > fits[path][0].score - _EQUAL and fit.is_good:
                    names[fit.layout.name] += 1
                    scores[fit.layout.name] += fit.score
        if not names:
            break
        best = max(names, key=lambda n: (names[n], round(scores[n], 1), -order[n]))
        chosen = {
            path: data
            for path, data in waiting.items()
            if any(
                fit.score > fits[path][0].score - _EQUAL
                and fit.is_good
                and fit.layout.name == best
                for fit in fits[path]
            )
        }
        layout = layouts[order[best]]
        opinions = _summarise([fits[path] for path in chosen], layouts)
        families.append(Family(layout, None, chosen, opinions))
        for path in chosen:
            del waiting[path]
    return families


def _belongs(path: str, family: Family, fits: Sequence[Fit]) -> bool:
    """Whether a file is like others beside it, but for what seems to be up."""
    is_beside = any(_folder(one) == _folder(path) for one in family.files)
    return is_beside and any(
        fit.layout == family.known and fit.problem.endswith(UP_OR_DOWN) for fit in fits
    )


def _folder(path: str) -> str:
    return os.path.dirname(path)


def _find_records(
    waiting: Mapping[str, NDArray[np.uint8]],
    fits: Mapping[str, list[Fit]],
    known: Sequence[Family],
) -> list[Family]:
    """Add families of files that no built-in layout fits, folder by folder.

    They take the files of a smaller family in the same folder that has such records,
    too: a layout may fit a few scans by chance, turned as they are.
    """
    folders: defaultdict[str, dict[str, NDArray[np.uint8]]] = defaultdict(dict)
    for path, data in waiting.items():
        folders[_folder(path)][path] = data
    found: dict[tuple[Layout, float], dict[str, NDArray[np.uint8]]] = {}
    for folder, files in list(folders.items())[:_MAX_SEARCHES]:
        for some, record in _divide(files):
            size, skip = record.layout.record.itemsize, record.layout.skip
            of_record = found.setdefault((record.layout, record.divisor), {})
            of_record.update(some)
            for family in known:
                if (
                    len(family.files) < len(some)
                    and all(_folder(path) == folder for path in family.files)
                    and all((d.size - skip) % size == 0 for d in family.files.values())
                ):
                    of_record.update(family.files)
    families = [
        family
        for family in known
        if not any(family.files.keys() <= files.keys() for files in found.values())
    ]
    for (layout, divisor), files in found.items():
        opinions = _summarise([fits[path] for path in files])
        record = Record(layout, divisor, 1.0)
        families.append(Family(None, record, files, opinions))
    return families


def _divide(
    files: dict[str, NDArray[np.uint8]],
) -> Iterator[tuple[dict[str, NDArray[np.uint8]], Record]]:
    """Yield files of a folder with the same record, and the record."""
    record = find_record(list(files.values())[:_FEW])
    if record is not None:
        size, skip = record.layout.record.itemsize, record.layout.skip
        yield {p: d for p, d in files.items() if (d.size - skip) % size == 0}, record
    elif len(files) > 1:
        for path, data in list(files.items())[:_FEW]:
            if (record := find_record([data])) is not None:
                yield {path: data}, record


def _summarise(
    fits: Sequence[Sequence[Fit]], layouts: Sequence[Layout] | None = None
) -> list[Opinion]:
    by_name: defaultdict[str, list[Fit]] = defaultdict(list)
    for of_file in fits:
        for fit in of_file:
            by_name[fit.layout.name].append(fit)
    opinions = []
    for layout in built_in_layouts() if layouts is None else layouts:
        some = by_name[layout.name]
        problems = Counter(fit.problem for fit in some if not fit.is_good)
        opinions.append(
            Opinion(
                layout.name,
                float(np.mean([fit.score for fit in some])),
                float(np.mean([fit.is_good for fit in some])),
                max(problems, key=lambda text: problems[text], default=""),
            )
        )
    opinions.sort(key=lambda one: (-round(one.share, 1), -round(one.score, 2)))
    return opinions


def describe_types(layout: Layout) -> str:
    """Return the types of a record in a few words, such as 4 x float32."""
    parts: list[tuple[int, str]] = []
    for field in layout.fields:
        count, kind = parts[-1] if parts else (0, "")
        if kind == field.type:
            parts[-1] = count + 1, kind
        else:
            parts.append((1, field.type))
    text = ", ".join(f"{n} x {kind}" if n > 1 else kind for n, kind in parts)
    text += ", big endian" if layout.endian == "big" else ""
    return text + (f", after {layout.skip} bytes" if layout.skip else "")
