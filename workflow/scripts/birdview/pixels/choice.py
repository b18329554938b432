"""Choices: which points of a scan count."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from birdview.counts import LeftOut

Columns: TypeAlias = Sequence[NDArray[Any]]
Mask: TypeAlias = NDArray[np.bool_]


class Between(NamedTuple):
    """The numbers from `low` to `high`, both included."""

    low: float
    high: float

    def holds(self, values: NDArray[Any]) -> Mask:
        """Return which of the values are in it."""
        inside: Mask = (self.low <= values) & (values <= self.high)
        return inside

    def rounded(self, dtype: np.dtype[Any]) -> "Between":
        """Return it with ends that numbers of a type can be."""
        return Between(_round(self.low, dtype), _round(self.high, dtype))


class Among(NamedTuple):
    """Some numbers."""

    listed: tuple[float, ...]

    def holds(self, values: NDArray[Any]) -> Mask:
        """Return which of the values are among them."""
        return np.isin(values, self.listed)

    def rounded(self, dtype: np.dtype[Any]) -> "Among":
        """Return those numbers that a type has in their place."""
        return Among(tuple(_round(value, dtype) for value in self.listed))


def _round(value: float, dtype: np.dtype[Any]) -> float:
    """Round a number to a type of stored numbers: 0.1 must be the 0.1 of a float32."""
    if dtype.kind != "f":
        return value
    with np.errstate(over="ignore"):  # a limit beyond the type's is none
        return float(dtype.type(value))


class Rule(NamedTuple):
    """Points with some values of a field.

    Attributes
    ----------
    field : int
        Its number in the record.
    values : Among or Between
    """

    field: int
    values: Among | Between


class Choice(NamedTuple):
    """Which points of a scan count.

    Attributes
    ----------
    min_range : float
        Points no farther from the origin are no returns; in metres.
    keep, drop : tuple of Rule
        Points count if all of `keep` apply, and none of `drop`.
    without : tuple of three Between, or None
        x, y and z of a box around the vehicle; points in it do not count.
    drops_duplicates : bool
        Whether a record with the bytes of an earlier one counts.
    clearance : float
        Points nearer than this to the sensor, in x and in y, are the vehicle's; in
        metres.
    """

    min_range: float = 0.0
    keep: tuple[Rule, ...] = ()
    drop: tuple[Rule, ...] = ()
    without: tuple[Between, ...] | None = None
    drops_duplicates: bool = False
    clearance: float = 0.0

    def apply(
        self,
        points: Columns,
        holds: Callable[[Rule], Mask],
        stored: Columns,
    ) -> tuple[Mask, LeftOut]:
        """Choose points.

        Parameters
        ----------
        points : sequence of four ndarrays
            x, y and z in metres in the axes of the layout, and intensity.
        holds : function
            Returns for which points a rule holds.
        stored : sequence of ndarray
            The numbers of the records as they are in the file.

        Returns
        -------
        kept : ndarray of bool
            Points that count; those that are not finite are among them.
        left_out : LeftOut

        Raises
        ------
        ValueError
            If `keep`, `drop`, `without` and `clearance` leave nothing.
        """
        nonfinite = ~np.logical_and.reduce([np.isfinite(values) for values in points])
        kept = np.ones(len(nonfinite), dtype=bool)

        def leave_out(chosen: Mask) -> int:
            before = np.count_nonzero(kept)
            np.logical_and(kept, ~chosen | nonfinite, out=kept)
            return int(before - np.count_nonzero(kept))

        *position, _ = points
        no_return = leave_out(self._are_near(position))
        dropped = 0
        for rule in self.keep:
            dropped += leave_out(~holds(rule))
        for rule in self.drop:
            dropped += leave_out(holds(rule))
        vehicle = duplicate = 0
        if self.without:
            inside = map(Between.holds, self.without, position)
            vehicle = leave_out(np.logical_and.reduce(list(inside)))
        if self.clearance:
            x, y, _ = position
            near = (np.abs(x) < self.clearance) & (np.abs(y) < self.clearance)
            vehicle += leave_out(near)
        if self.drops_duplicates:
            duplicate = leave_out(_are_repeated(stored))
        if dropped + vehicle and not (kept & ~nonfinite).any():
            around = "`without` or `vehicle`" if self.clearance else "`without`"
            raise ValueError(
                f"none of {len(kept)} points left: {dropped} by `keep` and `drop`, "
                f"{vehicle} by {around}, expected some to draw"
            )
        return kept, LeftOut(no_return, dropped, vehicle, duplicate)

    def _are_near(self, position: Columns) -> Mask:
        """Return which points are no farther from the origin than `min_range`."""
        if self.min_range == 0:
            x, y, z = position
            at_origin: Mask = (x == 0) & (y == 0) & (z == 0)
            return at_origin
        x, y, z = (np.multiply(values, values, dtype=np.float64) for values in position)
        near: Mask = np.sqrt(x + y + z) <= self.min_range
        return near


def _are_repeated(stored: Columns) -> Mask:
    """Return which records have the bytes of an earlier one."""
    bits = [
        np.ascontiguousarray(column).view(f"u{column.itemsize}").astype(np.uint64)
        for column in stored
    ]
    # Sorting a hash of each record, with its number in the last digits, is many times
    # as fast as sorting records.
    count = len(bits[0])
    digits = np.uint64(count.bit_length())
    keys = np.sort(_hash(bits) << digits | np.arange(count, dtype=np.uint64))
    numbers = (keys & ((np.uint64(1) << digits) - np.uint64(1))).astype(np.intp)
    keys >>= digits
    is_same = keys[1:] == keys[:-1]
    earlier, later = numbers[:-1][is_same], numbers[1:][is_same]
    repeated: Mask = np.zeros(count, dtype=bool)
    if all((column[earlier] == column[later]).all() for column in bits):
        repeated[later] = True
        return repeated
    # Two records have the same hash.
    _, first = np.unique(np.stack(bits, axis=1), axis=0, return_index=True)
    repeated[:] = True
    repeated[first] = False
    return repeated


def _hash(bits: Sequence[NDArray[np.uint64]]) -> NDArray[np.uint64]:
    keys = np.zeros(len(bits[0]), dtype=np.uint64)
    for column in bits:
        keys = (keys ^ column) * np.uint64(0x9E3779B97F4A7C15)
        keys ^= keys >> np.uint64(29)
    return keys
