"""Where the labels of a run are, in any of the formats that are read."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import ClassVar, NamedTuple, Protocol

from birdview.pixels.frame import Frame
from birdview.pixels.layout import Layout
from birdview.training.labels.argoverse2 import Argoverse2
from birdview.training.labels.box import Box
from birdview.training.labels.kitti import Kitti
from birdview.training.labels.labelcloud import LabelCloud
from birdview.training.labels.plain import Plain
from birdview.training.labels.tracking import Tracking

_ORIGINS = {
    "kitti": "KITTI's y is that of bottoms",
    "labelcloud": "its centroids are centres",
    "argoverse2": "tx_m, ty_m and tz_m are centres",
}
"""Formats that say themselves where in a box its position is."""


class Format(Protocol):
    """The labels of a format, in a folder.

    Attributes
    ----------
    folder : str
        As in the settings.
    below, pattern : str
        The folder of the label files below it, and what their names look like.
    expected : str
        What this folder must hold, for error messages.
    """

    below: ClassVar[str]
    pattern: ClassVar[str]
    expected: ClassVar[str]

    @property
    def folder(self) -> str: ...

    def files(self, scan: str) -> tuple[str, ...]:
        """Return the file of a scan's labels, and those that it needs to be read."""
        ...

    def read(self, scan: str, frame: Frame) -> list[Box]:
        """Read the boxes of a scan, and bring them to the frame of its image."""
        ...


class Labels(NamedTuple):
    """The labels of a run.

    Attributes
    ----------
    format : Format
    origin : str or None
        What the settings say of it.
    shift : Frame
        What the layout does to the coordinates of a file, beside its fields and frame.
    """

    format: Format
    origin: str | None = None
    shift: Frame = Frame()

    @property
    def is_of_a_camera(self) -> bool:
        """Whether only what a camera sees is labelled."""
        return isinstance(self.format, Kitti | Tracking)

    def files(self, scan: str) -> tuple[str, ...]:
        """Return the file of a scan's labels, and those that it needs to be read.

        They may not exist, and may be those of other scans as well.

        Raises
        ------
        ValueError
            If no file can be that of a scan with this name.
        """
        return self.format.files(scan)

    def read(self, scan: str, frame: Frame) -> list[Box]:
        """Read the boxes of a scan.

        Parameters
        ----------
        scan : str
        frame : Frame
            What brings points of the scan to the axes of its images, and so the boxes.

        Raises
        ------
        OSError
            If a file is missing or cannot be read.
        ValueError
            If a file is not in the format, or a box has no size; the message has the
            file and the line.
        """
        return self.format.read(scan, frame.after(self.shift))

    def find(self, scans: list[str]) -> list[str]:
        """Return the scans that have labels.

        Raises
        ------
        OSError
            If there is no folder of labels or calibrations, or no label of any scan.
        ValueError
            As `files`.
        """
        where = os.path.abspath(self._label_folder)
        folder, below = self.format.folder, self.format.below
        if not os.path.isdir(where):
            name = Path(folder).name
            if name in (Kitti.below, Tracking.below) and os.path.isdir(folder):
                raise FileNotFoundError(
                    f"labels: {folder} is {name} itself, expected the folder that it "
                    f"is in: labels={Path(folder).parent}"
                )
            raise FileNotFoundError(
                f"labels: no folder at {where}, expected {self.format.expected}"
            )
        exists: dict[str, bool] = {}
        labelled = []
        for scan in scans:
            path = self.files(scan)[0]
            if path not in exists:
                exists[path] = os.path.isfile(path)
            if exists[path]:
                labelled.append(scan)
        if not labelled:
            name = os.path.relpath(self.files(scans[0])[0], self._label_folder)
            raise FileNotFoundError(
                f"labels: none in {where} for a scan, such as {name}"
            )
        if self.is_of_a_camera and not os.path.isdir(f"{folder}/calib"):
            raise FileNotFoundError(
                f"labels: no folder at {os.path.abspath(folder)}/calib, expected "
                f"KITTI's calibrations beside {below}, an archive of their own"
            )
        return labelled

    def others(self, scans: Iterable[str]) -> list[str]:
        """Return the label files that belong to none of these scans, sorted."""
        own = {os.path.normpath(self.files(scan)[0]) for scan in scans}
        found = map(str, Path(self._label_folder).rglob(self.format.pattern))
        return sorted(path for path in found if path not in own)

    @property
    def _label_folder(self) -> str:
        return os.path.join(self.format.folder, self.format.below)


def make_labels(
    settings: str | Mapping[str, str] | None, layout: Layout
) -> Labels | None:
    """Make the labels of a run.

    Parameters
    ----------
    settings : str, mapping or None
        The setting `labels`: a folder of KITTI, or all that says how labels are read.
    layout : Layout
        That of the scans.

    Raises
    ------
    ValueError
        If the settings contradict each other, or the folder holds two formats.
    """
    if settings is None:
        return None
    if isinstance(settings, str):
        settings = {"format": "kitti", "path": settings}
    form, folder, origin = (settings.get(key) for key in ("format", "path", "origin"))
    folder = os.path.normpath(str(folder))
    if form == "boxes" and origin is None:
        raise ValueError(
            "config: labels: no origin, expected origin: center or origin: bottom: "
            "which of the two is z?"
        )
    if form in _ORIGINS and origin is not None:
        raise ValueError(
            f"config: labels: origin: {origin} with the format {form}, expected it "
            f"with boxes only: {_ORIGINS[form]}"
        )
    found: Format
    if form == "boxes":
        found = Plain(folder, str(origin))
    elif form == "labelcloud":
        found = LabelCloud(folder)
    elif form == "argoverse2":
        found = Argoverse2(folder)
    elif not os.path.isdir(f"{folder}/label_02"):
        found = Kitti(folder)
    elif not os.path.isdir(f"{folder}/label_2"):
        found = Tracking(folder)
    else:
        raise ValueError(
            f"labels: {folder} has label_2 and label_02, expected the labels of one "
            f"benchmark: objects or tracking"
        )
    x, y, z = layout.origin
    shift = Frame(translation=(0.0 - x, 0.0 - y, 0.0 - z))
    return Labels(found, origin, shift)
