"""Kinds of files and folders that are no scans, or not whole ones.

A file is known by its first bytes, a folder by its name.
"""

import os
import re
from functools import cache
from pathlib import PurePosixPath
from typing import NamedTuple

from birdview.files import PathLike

HEAD = 1024
"""How many of its first bytes tell what a file is."""


class Kind(NamedTuple):
    """What a file or a folder is.

    Attributes
    ----------
    name : str
        For messages: ``a PLY file``.
    advice : str
        What to do about it.
    pattern : bytes
        A regular expression that matches the first bytes of a file, or the whole name
        of a folder in lower case.
    suffixes : tuple of str
        How the names of such files usually end, in lower case.
    """

    name: str
    advice: str
    pattern: bytes
    suffixes: tuple[str, ...] = ()

    def advise(self, suffix: str) -> str:
        """Return the advice for a file, whose name may end as others do."""
        is_usual = not self.suffixes or suffix.lower() in self.suffixes
        is_read = self.advice.startswith(_SET) and not is_usual
        return f"{self.advice} and `suffix: {suffix}`" if is_read else self.advice


_RECORDS = "records, such as float32 x, y, z, intensity for the layout kitti"
_EXPORT = f"export its points as {_RECORDS}"
_UNPACK = "unpack it with `snakemake unpack --config bag=<path>`"
_SAVE = ".astype('f4')[:, :4].tofile(...)"
_SET = "set `layout: "
_OWN = f"{_SET}own.yaml`, one of yours with `format: "
_SAVE_COLUMNS = f"(...)[['x', 'y', 'z', 'intensity']].values{_SAVE}"
_LEAVE_OUT = "leave it out with `match`"
_READ = "open it: a server may have sent an error instead of the file"

_BOM = rb"(?:\xef\xbb\xbf)?"
_BLANK = rb"[\t\n\r ]*+"
_ASCII = rb"[\t\n\r -~]"
_UTF8 = (
    rb"(?:[\t\n\r -~]|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|"
    rb"[\xf0-\xf4][\x80-\xbf]{3})++(?:[\xc2-\xf4][\x80-\xbf]{0,2})?"
)
# The bytes of few points may look like text by chance.
_TEXT = rb"(?:%b{32,}+\Z|(?=.{64})%b%b\Z)" % (_ASCII, _BOM, _UTF8)

# Records must not look like one of these. As a float32 in either order of bytes, most
# signatures are no coordinate that a sensor measures, but 1e-34 m or 1e28 m. A float64
# or integers could hit the short ones by chance: for these, more bits are fixed.
FILES = (
    Kind(
        "a Git LFS pointer",
        "run `git lfs pull`",
        rb"version https://git-lfs\.github\.com/",
    ),
    Kind(
        "a web page",
        "download it again: the server sent a page, not the file",
        rb"%b%b(?:<\?xml[^>]*+>%b)?(?:<!--(?:(?!-->).)*+-->%b)?"
        rb"<(?i:!doctype\s+html|html|head|body|script)[\s>]"
        % (_BOM, _BLANK, _BLANK, _BLANK),
        (".html", ".htm"),
    ),
    Kind(
        "XML",
        _READ,
        rb"%b%b<(?:\?xml|Error)[\s>]|"
        rb"(?:\xff\xfe)?<\0\?\0x\0m\0l\0|(?:\xfe\xff)?\0<\0\?\0x\0m\0l"
        % (_BOM, _BLANK),
        (".xml",),
    ),
    Kind(
        "a PCD file",
        f"{_SET}pcd`",
        rb"# *+\.PCD\b|(?:[\t\n\r ]|#[^\n]*+\n)*+(?:VERSION|FIELDS|COLUMNS)[\t ]",
        (".pcd",),
    ),
    Kind(
        "a PLY file",
        f"{_SET}ply`",
        rb"ply[\t ]*+[\r\n]++(?:format|comment|obj_info|element)[\t ]",
        (".ply",),
    ),
    Kind(
        "a LAS or LAZ file",
        f"{_SET}las`",
        rb"LASF.{20}[\x00\x01][\x00-\x09]",  # version 1.4, for example
        (".las", ".laz"),
    ),
    Kind("an E57 file", _EXPORT, rb"ASTM-E57", (".e57",)),
    Kind(
        "a BIN file of CloudCompare",
        _EXPORT,
        rb"CCB[0-9][\x01-\x7f]\0{3}",  # the version of the format
    ),
    Kind(
        "a NumPy array with a header",
        f"{_SET}npy`",
        rb"\x93NUMPY[\x01-\x03]\0",
        (".npy",),
    ),
    Kind(
        "an archive of NumPy arrays",
        f"{_OWN}npz`",
        rb"PK\x03\x04.{26}[\w./-]+?\.npy",
        (".npz",),
    ),
    Kind(
        "a zip archive",
        "unpack it with unzip",
        # Version, system, flags and method.
        rb"PK\x03\x04[\x00-\x3f]\0.[\x00-\x0f][\x00\x08\x09\x0c\x0e\x5d\x5f\x63]\0",
        (".zip",),
    ),
    Kind(
        "an HDF5 file",
        f"convert it: h5py.File(...)['<name>'][:]{_SAVE}",
        rb"\x89HDF\r\n\x1a\n",
        (".h5", ".hdf5"),
    ),
    Kind(
        "an Arrow or Feather file",
        f"{_OWN}feather`",
        rb"ARROW1\0\0|FEA1\0{4}",
        (".feather", ".arrow"),
    ),
    Kind(
        "a Parquet file",
        f"convert it: pandas.read_parquet{_SAVE_COLUMNS}",
        rb"PAR1\x15[\0\x02\x04\x06]\x15",  # the first page's kind and size
        (".parquet",),
    ),
    Kind(
        "a pickle",
        f"load it with the kit of its data set, and write {_RECORDS}",
        # A frame of less than 4 GiB, and what objects start with; or the names of a
        # module and a class, or an empty list or dictionary.
        rb"\x80(?:[\x04\x05]\x95.{4}\0{4}[\]}(cX\x8c]|"
        rb"[\x02\x03](?:c[a-z_][\w.]*+\n[\w.]++\n|[\]}]q\0))",
        (".pkl", ".pickle"),
    ),
    Kind(
        "a gzip file",
        "unpack it with gunzip",
        # Flags, level and system.
        rb"\x1f\x8b\x08[\x00-\x1f].{4}[\0\x02\x04][\x00-\x0d\xff]",
        (".gz", ".tgz"),
    ),
    Kind("a bzip2 file", "unpack it with bunzip2", rb"BZh[1-9]1AY&SY", (".bz2",)),
    Kind("an xz file", "unpack it with unxz", rb"\xfd7zXZ\0", (".xz",)),
    Kind(
        "a Zstandard file",
        "unpack it with unzstd",
        # With or without a checksum, without a dictionary.
        rb"\x28\xb5\x2f\xfd[\x00\x04\x20\x24\x40\x44\x60\x64\x80\x84\xa0\xa4\xc0\xc4"
        rb"\xe0\xe4]",
        (".zst",),
    ),
    Kind("a 7z archive", "unpack it with 7z x", rb"7z\xbc\xaf\x27\x1c", (".7z",)),
    Kind(
        "a tar archive", "unpack it with tar xf", rb"[^\0].{256}ustar[\0 ]", (".tar",)
    ),
    Kind("a ROS 1 bag", _UNPACK, rb"#ROSBAG V", (".bag",)),
    Kind("an MCAP recording", _UNPACK, rb"\x89MCAP0\r\n", (".mcap",)),
    Kind(
        "an SQLite database, such as a ROS 2 bag",
        _UNPACK,
        rb"SQLite format 3\0",
        (".db3",),
    ),
    Kind(
        "notes of macOS on another file",
        "delete it, and others whose names begin with ._",
        rb"\0\x05\x16[\0\x07]\0\x02\0\0",
    ),
    Kind("a PNG image", _LEAVE_OUT, rb"\x89PNG\r\n\x1a\n", (".png",)),
    Kind(
        "a JPEG image",
        _LEAVE_OUT,
        rb"\xff\xd8\xff(?:\xe0..JFIF|\xe1..(?:Exif|http)|\xdb\0[\x43\x84\xc5]\0)",
        (".jpg", ".jpeg"),
    ),
    Kind("JSON", _READ, rb"(?=%b%b[\[{])%b" % (_BOM, _BLANK, _TEXT), (".json",)),
    Kind(
        "text",
        f"{_OWN}csv`",
        rb"%b|\xff\xfe(?:%b\0){16,}+\Z|\xfe\xff(?:\0%b){16,}+\Z"
        % (_TEXT, _ASCII, _ASCII),
        (".txt", ".csv", ".xyz", ".pts", ".asc"),
    ),
)
"""What files are, by their first bytes: the first that fits."""

_VELODYNE = 'set `match: "**/velodyne/*.bin"`'

FOLDERS = (
    Kind("voxels of SemanticKITTI, one bit each", _VELODYNE, rb"voxels"),
    Kind(
        "masks of ScanNet or S3DIS, one int64 a point",
        'set `match: "**/points/*.bin"`',
        rb"(?:semantic_|instance_)?masks?|super_points",
    ),
    Kind(
        "a database of objects, one in each file",
        _VELODYNE,
        rb".*gt_database.*|.*dbinfos.*",
    ),
    Kind(
        "reduced scans, with only the points that a camera sees",
        _VELODYNE,
        rb".+_reduced",
    ),
    Kind(
        "scans of KITTI-360's SICK sensors, 2 x float32 a point",
        'set `match: "**/velodyne_points/data/*.bin"`',
        rb"sick_points",
    ),
    Kind(
        "labels, one number a point",
        "set `match` to the folder of the scans",
        rb"labels?|predictions|lidarseg",
    ),
)
"""What folders hold, by their names."""


def recognise(head: bytes) -> Kind | None:
    """Return what a file is; None if it may be records.

    Parameters
    ----------
    head : bytes
        The first `HEAD` bytes of the file, or all of a shorter one.
    """
    if not _any_kind().match(head):
        return None
    fits = (kind for kind in FILES if re.match(kind.pattern, head, re.DOTALL))
    return next(fits, None)


@cache
def _any_kind() -> re.Pattern[bytes]:
    return re.compile(b"|".join(kind.pattern for kind in FILES), re.DOTALL)


def recognise_file(path: PathLike) -> Kind | None:
    """Return what a file is by reading its first bytes; None if it may be records.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    with open(path, "rb") as file:
        return recognise(file.read(HEAD))


def recognise_suffix(suffix: str) -> Kind | None:
    """Return what files with a suffix usually are; None if that is not known."""
    return next((kind for kind in FILES if suffix.lower() in kind.suffixes), None)


def recognise_folder(path: str) -> Kind | None:
    """Return what is in the folders of a file, by their names; None for others.

    Parameters
    ----------
    path : str
        Of the file, with forward slashes, below the folder of the scans; or with the
        name of that folder in front.
    """
    for name in PurePosixPath(path).parts[:-1]:
        lower = os.fsencode(name.lower())
        for kind in FOLDERS:
            if re.fullmatch(kind.pattern, lower, re.DOTALL):
                return kind
    return None
