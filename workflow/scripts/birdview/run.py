"""A run: what is rendered from what, with all settings resolved.

Made by one function, which can be called and tested without Snakemake.
"""

import re
import shlex
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from birdview import bucket
from birdview.assemblies import Assemblies
from birdview.assembling import Mounted, make_assemblies, read_sensors
from birdview.cameras import Cameras
from birdview.files import PathLike, find_one_file
from birdview.image import ImageFile
from birdview.patterns import compile_patterns
from birdview.pixels.classes import Classes
from birdview.pixels.encoding import Encoding, load_encoding
from birdview.pixels.layout import Layout
from birdview.pixels.png import read_text
from birdview.scans import (
    INVALID_NAMES,
    check_folders,
    find_alike,
    find_invalid_names,
    split_into_batches,
)
from birdview.search import Ignored
from birdview.settings import read_settings
from birdview.sources import Bucket, Demo, Folder, Source
from birdview.training.classes import name_classes
from birdview.training.divide import check_splits, divide
from birdview.training.index import NAME as INDEX
from birdview.training.labels.box import Box
from birdview.training.labels.source import Labels, make_labels
from birdview.training.masks import Masks, choose_masks

SCANS_PER_JOB = 500
"""Scans of a job on a cluster, or with a bucket, unless settings say how many."""
REPLACED = {
    "part_size": "scans_per_job, which renders as many scans in one job",
}
"""Settings that no longer exist, and what replaces them."""

RESERVED_NAMES = (
    "benchmark",
    "contact_sheet",
    "dataset",
    "demo",
    "gallery",
    "inspect",
    "invalid",
    "kitti_results",
    "logs",
    "movie",
    "parts",
    "statistics",
    "unpack",
    "verify",
)
"""Names of folders in results/ that an encoding may not take."""


class Scans(NamedTuple):
    """The scans of a run.

    Attributes
    ----------
    names : list of str
        Sorted.
    invalid : dict of str to str
        Names that no image can have, and the error message for each; and the first of
        the scans that a split names and that do not exist, with one for all of these.
    labelled : list of str
        Those of the names that have labels.
    left_out : Ignored
        What was not searched.
    """

    names: list[str]
    invalid: dict[str, str]
    labelled: list[str]
    left_out: Ignored


@dataclass(frozen=True)
class Run:
    """What is rendered from what.

    Attributes
    ----------
    settings : mapping
        All settings, with defaults.
    encodings : dict of str to Encoding
    layout : Layout
    source : Source
        Where the scans are.
    results_prefix : str or None
        The prefix of object storage that results go to; None for the folder results.
    found : Scans, OSError or ValueError
        The scans, or why they cannot be found: see `scans`.
    results : str
        The folder of the images; see also `folder`.
    assemblies : Assemblies
        What its images are made of.
    is_batched : bool
        Whether a job renders a batch of scans, and not one image.
    is_local : bool
        Whether all jobs run on this machine.
    labels : Labels or None
        None if `labels` is not set.
    masks : Masks or None
        Those of the data sets; None if they have none.
    """

    settings: Mapping[str, Any]
    encodings: dict[str, Encoding]
    layout: Layout
    source: Source
    results_prefix: str | None
    found: Scans | OSError | ValueError
    assemblies: Assemblies
    results: str = "results"
    is_batched: bool = False
    is_local: bool = True
    labels: Labels | None = None
    masks: Masks | None = None

    @property
    def folder(self) -> str:
        """The folder of what is made of the whole run; the demo has its own."""
        return f"{self.results}/demo" if self.source.is_simulated else self.results

    @property
    def scans(self) -> list[str]:
        """The names of the scans, sorted.

        Raises
        ------
        OSError, ValueError
            If they cannot be found. Targets that need no scan work nevertheless.
        """
        return self._require_scans().names

    @property
    def invalid(self) -> dict[str, str]:
        """Names of scans that cannot be rendered, and error messages: see `Scans`."""
        return self._require_scans().invalid

    @property
    def labelled(self) -> list[str]:
        """The names of the scans that have labels; none if `labels` is not set."""
        return self._require_scans().labelled

    @property
    def chosen_files(self) -> list[str] | None:
        """The scans' files below their folder, if settings choose them and they exist.

        None without `match`, `split` and `suffix`.
        """
        choosing = (self.settings[key] for key in ("match", "split", "suffix"))
        if isinstance(self.found, Exception) or not any(choosing):
            return None
        return [f"{scan}{self.layout.suffix}" for scan in self.found.names]

    @cached_property  # searches the folders of other sensors
    def left_out(self) -> str:
        """What was found and has no image, in one line; empty if there is nothing."""
        if isinstance(self.found, Exception):
            return ""
        notes = [f"scans: {self.found.left_out}"] if any(self.found.left_out) else []
        return "; ".join([*notes, *self.assemblies.name_unpaired()])

    @property
    def unread_bag(self) -> str:
        """That the demo was rendered instead of a bag, in one line; or nothing."""
        bag = self.settings["bag"]
        if bag is None or not self.source.is_simulated:
            return ""
        return (
            f"bag: {bag} was not read, and the demo rendered: unpack it with "
            f"`snakemake unpack`"
        )

    def _require_scans(self) -> Scans:
        if isinstance(self.found, Exception):
            raise self.found
        return self.found

    @property
    def failures(self) -> list[str]:
        """Outputs of jobs that fail, one for each error in `invalid`."""
        return [
            f"{self.results}/invalid/{number}" for number in range(len(self.invalid))
        ]

    @cached_property
    def batches(self) -> dict[str, list[str]]:
        """The scans that one job renders, if it renders several."""
        size = self.settings["scans_per_job"] or SCANS_PER_JOB
        return split_into_batches(
            self.scans, list(self.encodings), size, even=not self.is_local
        )

    def scans_of(self, batch: str) -> list[str]:
        """Return the scans of a batch.

        Raises
        ------
        ValueError
            If there is no such batch.
        """
        if batch not in self.batches:
            raise ValueError(
                f"batch {batch}: unknown, expected one of {len(self.batches)}, such as "
                f"{next(iter(self.batches))}"
            )
        return self.batches[batch]

    def elsewhere(self) -> "Run":
        """Return the run with jobs on other machines."""
        return replace(self, is_local=False, is_batched=True)

    def narrow(self, scans: list[str]) -> "Run":
        """Return the run of some of the scans, which can be pickled."""
        return replace(
            self,
            found=Scans(scans, {}, [], Ignored([], [], {})),
            assemblies=self.assemblies.narrow(scans),
        )

    @property
    def marks(self) -> list[str]:
        """The files that say which batches are finished."""
        return [self.mark_path(batch) for batch in self.batches]

    def mark_path(self, batch: str) -> str:
        """Return the file that says that a batch is finished."""
        return f"{self.records}/finished/{batch}"

    def request_path(self, batch: str) -> str:
        """Return the file that is newer than the mark of a batch to be rendered."""
        return f"{self.records}/requested/{batch}"

    @property
    def records(self) -> str:
        """The folder of what is known of scans and images; it is always here."""
        return f"{self.folder}/.birdview"

    @cached_property
    def splits(self) -> dict[str, list[str]]:
        """The scans of each split of the data set; see `birdview.training.divide`.

        Raises
        ------
        OSError, ValueError
            If a file that lists scans cannot be read, or lists impossible ones.
        """
        dataset = self.settings["dataset"]
        return divide(self.scans, dataset["splits"], dataset["by"], self.source.place)

    @property
    def images(self) -> list[ImageFile]:
        """All images, one encoding after the other."""
        return [
            ImageFile(
                self.image_path(name, scan), encoding, scan, self.source.file(scan)
            )
            for name, encoding in self.encodings.items()
            for scan in self.scans
        ]

    def image_path(self, encoding: str, scan: str) -> str:
        """Return the path of an image, by the names of its encoding and its scan."""
        return f"{self.results}/{encoding}/{scan}.png"

    def log_path(self, encoding: str, scan: str) -> str:
        """Return the log of an image: it has the error if rendering it failed."""
        return f"{self.results}/logs/{encoding}/{scan}.log"

    @property
    def grids(self) -> list[str]:
        """The files that say what the pixels of each encoding mean."""
        below = "demo/" if self.source.is_simulated else ""
        return [f"{self.results}/{name}/{below}grid.json" for name in self.encodings]

    def grids_for(self, targets: Collection[str]) -> list[str]:
        """Return what says what the pixels of targets mean, unless it is a target."""
        return [
            grid
            for name, grid in zip(self.encodings, self.grids, strict=True)
            if any(one.startswith(f"{self.results}/{name}/") for one in targets)
            and grid not in targets
        ]

    def scan_file(self, scan: str) -> str:
        """Return the file of a scan; raise as `scans` does if there are none."""
        self._require_scans()
        return self.source.file(scan)

    @property
    def cameras(self) -> Cameras | None:
        """Where what the cameras see is read from; None if all points are drawn."""
        return self.assemblies.cameras

    @property
    def classes(self) -> Classes | None:
        """The classes of points; None if no encoding shows them."""
        return self.assemblies.labels and self.assemblies.labels.classes

    @property
    def boxed_pictures(self) -> list[str]:
        """The pictures with boxes of all scans that have labels.

        Raises
        ------
        ValueError
            If `labels` is not set.
        """
        self._require_labels()
        return [
            self.boxed_path(name, scan)
            for name in self.encodings
            for scan in self.labelled
        ]

    @property
    def dataset_encodings(self) -> list[str]:
        """The names of the encodings that get a data set: all but that of masks."""
        masks = self.masks and self.masks.encoding.name
        return [name for name in self.encodings if name != masks]

    @property
    def has_datasets(self) -> bool:
        """Whether images have anything that a data set is made of."""
        return self.labels is not None or self.masks is not None

    @property
    def datasets(self) -> list[str]:
        """The index of each data set.

        Raises
        ------
        ValueError
            If neither `labels` nor masks are set.
        """
        if not self.has_datasets:
            self._require_labels()
        return [self.index_path(name) for name in self.dataset_encodings]

    def index_path(self, encoding: str) -> str:
        """Return the path of the index of a data set."""
        return f"{self.dataset_folder(encoding)}/{INDEX}"

    def dataset_folder(self, encoding: str) -> str:
        """Return the folder of the data set of an encoding."""
        return f"{self.folder}/dataset/{encoding}"

    @property
    def kitti_results(self) -> str:
        """The table of what became of predictions; their results are beside it.

        Raises
        ------
        ValueError
            If `predictions` or `labels` is not set, or if there are several encodings.
        """
        self._require_labels()
        self.require_predictions()
        names = self.dataset_encodings
        if len(names) > 1:
            raise ValueError(
                f"encodings: {', '.join(names)}, expected one, that of the "
                f"predictions: 'encodings=[{names[0]}]'"
            )
        (encoding,) = names
        return f"{self.folder}/kitti_results/{encoding}.tsv"

    def boxed_path(self, encoding: str, scan: str) -> str:
        """Return the path of a picture with boxes."""
        return f"{self.results}/{encoding}/boxes/{scan}.png"

    def boxed_batches(self) -> dict[str, list[str]]:
        """Return the pictures with boxes of each batch that has labels, by its mark.

        Raises
        ------
        ValueError
            If `labels` is not set.
        """
        self._require_labels()
        labelled = set(self.labelled)
        return {
            f"{self.records}/boxes/{batch}": [
                self.boxed_path(name, scan)
                for name in self.encodings
                for scan in scans
                if scan in labelled
            ]
            for batch, scans in self.batches.items()
            if not labelled.isdisjoint(scans)
        }

    @property
    def report_pictures(self) -> list[str]:
        """Everything that Snakemake's report can show."""
        return [
            *(f"{self.folder}/contact_sheet/{name}.png" for name in self.encodings),
            *(f"{self.folder}/counts.tsv", f"{self.folder}/counts.svg"),
            *map(str, sorted(Path(self.folder, "benchmark").glob("*.svg"))),
        ]

    @property
    def few_scan_files(self) -> list[str]:
        """The files of up to three scans, for the benchmark.

        Raises
        ------
        ValueError
            If there are none that it can read.
        """
        readable = [scan for scan in self.scans if self.source.is_readable(scan)]
        if self.source.is_remote or not readable:
            raise ValueError(
                f"scans: {self.settings['scans']}, expected files that the benchmark "
                f"can read"
            )
        some = readable[:: max(1, len(readable) // 3)][:3]
        return [self.source.file(scan) for scan in some]

    def label_files(self, scan: str) -> tuple[str, ...]:
        """Return the file of a scan's labels, and those that it needs to be read.

        Raises
        ------
        ValueError
            If `labels` is not set, or no file can be that of a scan with this name.
        """
        return self._require_labels().files(scan)

    def camera_files(self, scan: str) -> tuple[str, str]:
        """Return the calibration of a scan, and the image of its camera.

        Raises
        ------
        ValueError
            If `labels` is not set, or those of no camera.
        """
        calib, image = self._labelled_cameras.files(scan)
        return calib, image

    @cached_property
    def _labelled_cameras(self) -> Cameras:
        labels = self._require_labels()
        if not labels.is_of_a_camera:
            raise ValueError(
                f"labels: {self.settings['labels']}, expected KITTI's, whose calib "
                f"says where the camera is"
            )
        return Cameras(labels.format.folder, None)

    def read_boxes(self, scan: str) -> list[Box]:
        """Read the labelled boxes of a scan, in the frame of its image.

        Raises
        ------
        OSError, ValueError
            If `labels` is not set, or a file cannot be read; see `Labels.read`.
        """
        return self._require_labels().read(scan, self.assemblies.frame_of(scan))

    def _require_labels(self) -> Labels:
        if self.labels is None:
            raise ValueError(
                "labels: null, expected the folder of label_2 and calib, or labels in "
                "another format"
            )
        return self.labels

    def require_predictions(self) -> str:
        """Return the folder of predictions.

        Raises
        ------
        OSError, ValueError
            If there is none, or it is not set.
        """
        folder: str | None = self.settings["predictions"]
        if folder is None:
            raise ValueError(
                "predictions: null, expected the folder of .txt files that YOLO "
                "predicted: snakemake kitti_results --config "
                "predictions=runs/obb/predict/labels"
            )
        if not Path(folder).is_dir():
            raise FileNotFoundError(
                f"predictions: no folder at {Path(folder).absolute()}, expected .txt "
                f"files that YOLO predicted"
            )
        return folder

    def check_images_are_local(self) -> None:
        """Raise ValueError if images are in object storage, where some targets fail."""
        if self.results_prefix:
            raise ValueError(
                f"default-storage-prefix: the images are in {self.results_prefix}, "
                f"expected them in the folder results: copy them here, and omit the "
                f"prefix"
            )


def resolve(
    settings: Mapping[str, Any],
    results_prefix: str | None = None,
    open_bucket: Callable[[str], Any] | None = None,
    results: str = "results",
    is_local: bool = True,
    files: Iterable[PathLike] = (),
    typed: Sequence[str] = (),
) -> Run:
    """Resolve the settings of a run.

    Parameters
    ----------
    settings : mapping
        As Snakemake's `config`; nested values may have arrived as text.
    results_prefix : str, optional
        Snakemake's default storage prefix; results go there if it is a bucket.
    open_bucket : function, optional
        Turns a path such as ``s3://bucket/kitti`` into a StorageObject of
        snakemake-storage-plugin-s3.
    results : str
        The folder of the images.
    is_local : bool
        Whether jobs run on this machine.
    files, typed
        As those of `birdview.settings.read_settings`.

    Raises
    ------
    OSError, ValueError
        If settings are invalid, in one line. If only the scans or their labels cannot
        be found, the run keeps the error: see `Run.scans`.
    """
    for key, successor in REPLACED.items():
        if key in settings:
            raise ValueError(f"config: {key} is no longer a setting: set {successor}")
    settings = read_settings(settings, files, typed)
    check_splits(settings["dataset"]["splits"])
    name_classes(settings["dataset"]["classes"])
    encodings = load_encodings(settings["encodings"])
    sensors = read_sensors(settings)
    layout = sensors[0].layout
    if not (results_prefix and bucket.is_bucket(results_prefix)):
        results_prefix = None
    elif open_bucket:
        bucket.check_exists(open_bucket(results_prefix))
    sources = [
        _source(settings, sensor, results_prefix, open_bucket, results)
        for sensor in sensors
    ]
    source = sources[0]
    labels = make_labels(settings["labels"], layout)
    cameras = _cameras(settings, labels)
    found: Scans | OSError | ValueError
    try:
        found = _find(source, labels, results_prefix)
        if not results_prefix:
            _check_names_differ(results, encodings, found.names, source)
        if source.is_simulated:
            _check_images_are_the_demos(results, encodings, found.names)
        if cameras:
            cameras.check()
    except (OSError, ValueError) as error:
        found = error

    def list_scans() -> Iterable[str]:
        if settings["split"] is None and isinstance(found, Scans):
            return found.names
        return source.place.names()

    assemblies = make_assemblies(
        settings, sensors, sources, list_scans, cameras, encodings, results
    )
    return Run(
        settings,
        encodings,
        layout,
        source,
        results_prefix,
        found,
        assemblies,
        results,
        is_batched=bool(settings["scans_per_job"] or results_prefix)
        or assemblies.are_remote
        or not is_local,
        is_local=is_local,
        labels=labels,
        masks=choose_masks(
            settings["dataset"]["masks"],
            encodings,
            assemblies.labels and assemblies.labels.classes,
        ),
    )


def load_encodings(names: Iterable[str]) -> dict[str, Encoding]:
    """Load several encodings, and check that each can have a folder in results/.

    Returns
    -------
    dict of str to Encoding
        By name, which is also the name of the folder.

    Raises
    ------
    FileNotFoundError, ValueError
        As `load_encoding`, and if two encodings have the same name, or one has a name
        that its folder cannot have.
    """
    encodings: dict[str, Encoding] = {}
    for name in names:
        encoding = load_encoding(name)
        if not re.fullmatch(r"\w[\w-]*", encoding.name, re.ASCII):
            raise ValueError(
                f"{name}: the file's name becomes that of a folder in results/, "
                f"expected letters, digits, _ and -"
            )
        if encoding.name in RESERVED_NAMES:
            other = Path(name).with_name(f"my_{Path(name).name}")
            raise ValueError(
                f"{name}: results/{encoding.name} is taken, expected another name than "
                f"{', '.join(RESERVED_NAMES)}: rename the file: "
                f"{shlex.join(['mv', str(name), str(other)])}"
            )
        if encoding.name in encodings:
            raise ValueError(
                f"{name}: two encodings {encoding.name}, expected different names"
            )
        encodings[encoding.name] = encoding
    return encodings


def _source(
    settings: Mapping[str, Any],
    sensor: Mounted,
    results_prefix: str | None,
    open_bucket: Callable[[str], Any] | None,
    results: str,
) -> Source:
    (folder, layout), split, match = sensor, settings["split"], settings["match"]
    compile_patterns(match)
    if folder is None:
        if results_prefix:
            raise ValueError(
                f"scans: null, expected scans for images in {results_prefix}"
            )
        if settings["layout"] != "kitti":
            raise ValueError(f"scans: null, expected a folder for the {layout}")
        demo = settings["demo"]
        return Demo(demo["scans"], results, split)
    if bucket.is_bucket(folder) and open_bucket:
        return Bucket(open_bucket(folder.rstrip("/")), layout.suffix, split, match)
    return Folder(folder, layout.suffix, split, f"{results}/demo", match)


def _cameras(settings: Mapping[str, Any], labels: Labels | None) -> Cameras | None:
    """Return where the cameras are, if only what they see is drawn."""
    wanted = settings["camera_view"]
    if wanted in (None, False):
        return None
    given = wanted if isinstance(wanted, Mapping) else {}
    if settings["scans"] is None and settings["sensors"] is None:
        raise ValueError("camera_view: the demo has no camera, expected null or scans")
    folder = given.get("path") or (labels and labels.format.folder)
    if folder is None:
        raise ValueError(
            "camera_view: no path and no labels, expected the folder of calib and "
            "image_2: `camera_view: {path: kitti/training}`"
        )
    return Cameras(folder, tuple(given["image"]) if "image" in given else None)


def _check_images_are_the_demos(
    results: str, encodings: Iterable[str], scans: Iterable[str]
) -> None:
    """Raise ValueError at an image that birdview 0.1 made of a user's folder `demo`."""
    for encoding in encodings:
        for scan in scans:
            path = f"{results}/{encoding}/{scan}.png"
            try:
                software = read_text(path).get("Software")
            except (OSError, ValueError):
                continue  # no image
            if software == "birdview 0.1.0":
                raise ValueError(
                    f"{path}: birdview 0.1 rendered it from a scan of yours, expected "
                    f"an image of the demo: rename {results}/{encoding}/demo"
                )


def _check_names_differ(
    results: str, encodings: Iterable[str], scans: list[str], source: Source
) -> None:
    """Raise ValueError if two images are one file where the results are.

    That is on a disk that ignores case, or the normal form of Unicode.
    """
    folders = [*RESERVED_NAMES, *encodings]
    same = find_one_file(results, find_alike(folders))
    if same:
        raise ValueError(
            f"encodings: {same[1]}, but {results}/{same[0]} is the same folder on this "
            f"disk, which ignores case, expected another name: rename the file"
        )
    same = find_one_file(results, find_alike(scans))
    if same:
        one, other = (ascii(source.file(scan)) for scan in same)
        raise ValueError(
            f"scans: {one} and {other}, whose images are the same file on the disk of "
            f"{results}, expected names that differ otherwise than in case or in "
            f"Unicode's normal form: rename one"
        )


def _find(source: Source, labels: Labels | None, results_prefix: str | None) -> Scans:
    scans, missing, left_out = source.find()
    if not source.is_simulated:
        check_folders(scans, source.file)
    patterns = INVALID_NAMES
    if source.is_remote or results_prefix:
        patterns = patterns | bucket.INVALID_OBJECT_NAMES
    invalid = {
        scan: f"{source.file(scan)!r}: invalid scan name: {why}"
        for scan, why in find_invalid_names(scans, patterns).items()
    }
    invalid |= missing
    names = [scan for scan in scans if scan not in invalid]
    if not names:
        raise ValueError(next(iter(invalid.values())))
    labelled = labels.find(names) if labels else []
    return Scans(names, invalid, labelled, left_out)
