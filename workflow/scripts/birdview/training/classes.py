"""The classes of a data set: which kinds of labelled boxes each of them is made of."""

from collections.abc import Mapping, Sequence


def name_classes(classes: Mapping[str, str | Sequence[str]]) -> dict[str, str]:
    """Return the class of each kind.

    Raises
    ------
    ValueError
        If a kind is in two classes.

    Examples
    --------
    >>> name_classes({"Vehicle": ["Car", "Van"], "Pedestrian": "Pedestrian"})
    {'Car': 'Vehicle', 'Van': 'Vehicle', 'Pedestrian': 'Pedestrian'}
    """
    name_of: dict[str, str] = {}
    for name, kinds in classes.items():
        for kind in [kinds] if isinstance(kinds, str) else kinds:
            if kind in name_of:
                where = f"{name_of[kind]} and {name}"
                twice = where if name_of[kind] != name else f"{name} twice"
                raise ValueError(
                    f"dataset: classes: {kind} is in {twice}, expected each kind once"
                )
            name_of[kind] = name
    return name_of
