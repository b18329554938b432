"""Read files of all formats, and divide them into families."""

import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from birdview.files import PathLike
from birdview.inspect.sample import MAX_SCANS, Group, choose_files
from birdview.inspect.scans import (
    Family,
    find_families,
    find_families_of_tables,
    open_files,
)
from birdview.inspect.tables import (
    TEXT,
    Table,
    find_format,
    pack_tables,
    read_columns,
)

_MAX_TEXTS, _MAX_LARGE = 12, 8
"""Files of text, and of other formats with large files: they take long to read."""
_LARGE = 1 << 23  # bytes


class Contents(NamedTuple):
    """What some files hold.

    Attributes
    ----------
    files : dict of str to ndarray of uint8
        Records by the paths of the files; also those of tables.
    tables : dict of str to Table
        Of files of other formats.
    errors : dict of str to str
        Why others of these cannot be read.
    families : list of Family
        Those of scans first.
    """

    files: dict[str, NDArray[np.uint8]]
    tables: dict[str, Table]
    errors: dict[str, str]
    families: list[Family]


def read_contents(
    folder: PathLike, paths: Sequence[str], groups: Sequence[Group]
) -> Contents:
    """Read files of all formats, and divide them into families.

    Parameters
    ----------
    folder : path-like
    paths : sequence of str
        Below the folder.
    groups : sequence of Group
        All files: of scans of different formats, the more count.
    """
    files: dict[str, NDArray[np.uint8]] = {}
    columns, errors = {}, {}
    for path, data in open_files(folder, paths):
        if not find_format(data):
            files[path] = data
            continue
        try:
            found = read_columns(data, path)
            if len(found.arrays[0]):
                columns[path] = found
            else:
                errors[path] = f"{path}: no points found"
        except (ValueError, MemoryError) as error:
            errors[path] = str(error)
    tables = pack_tables(columns)
    families = find_families(files)
    of_tables = find_families_of_tables(tables)
    if of_tables and of_tables[0].is_likely:
        weights = [
            sum(len(group.paths) for group in groups if _is_of(group, some[0]))
            for some in (of_tables, families)
            if some and some[0].are_scans
        ]
        if len(weights) == 2 and weights[0] > weights[1]:
            families, of_tables = of_tables, families
    both = sorted(families + of_tables, key=lambda family: not family.are_scans)
    files |= {path: table.data for path, table in tables.items()}
    return Contents(files, tables, errors, both)


def _is_of(group: Group, family: Family) -> bool:
    return not family.files.keys().isdisjoint(group.paths)


def read_groups(
    folder: PathLike, groups: Sequence[Group]
) -> tuple[Contents, list[Group]]:
    """Read some files of the groups that may be scans, and return these groups.

    Text may be anything: it is read only if nothing else is a scan.
    """
    records = [group for group in groups if group.may_be_scans]
    records = [group for group in records if group.place is None] or records
    others = [
        group
        for group in groups
        if group.format not in ("", TEXT) and (group.place is None or not records)
    ]
    paths = [path for part in choose_files(records) for path in part]
    most = _MAX_LARGE if _is_any_large(folder, others) else MAX_SCANS
    paths += [path for part in choose_files(others, most) for path in part]
    contents = read_contents(folder, paths, groups)
    if contents.families and contents.families[0].are_scans:
        return contents, records + others
    texts = [group for group in groups if group.format == TEXT]
    paths += [path for part in choose_files(texts, _MAX_TEXTS) for path in part]
    return read_contents(folder, paths, groups), records + others + texts


def _is_any_large(folder: PathLike, groups: Sequence[Group]) -> bool:
    """Whether files take long to read, by the first of each group."""
    for group in groups:
        path = os.path.join(folder, group.paths[0])
        if os.path.exists(path) and os.path.getsize(path) > _LARGE:
            return True
    return False


def describe_errors(contents: Contents, groups: Sequence[Group]) -> Iterator[str]:
    """Yield why files cannot be read, one of each group.

    Not of text beside scans: there is much that is no table of points.
    """
    first = contents.families[0] if contents.families else None
    scans = first if first and first.are_scans else None
    for group in groups:
        bad = [path for path in group.paths if path in contents.errors]
        if bad and (not scans or group.format != TEXT or _is_of(group, scans)):
            more = f" (and {len(bad) - 1} more of {group.name})" if bad[1:] else ""
            yield f"{contents.errors[bad[0]]}{more}"
