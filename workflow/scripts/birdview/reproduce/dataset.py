"""Digest data sets, so that manifests tell whether others are the same."""

import hashlib
from pathlib import Path

from birdview.files import PathLike

_OWN = (
    "README.md",
    "boxes.json",
    "classes.json",
    "coco_*.json",
    "data.yaml",
    "labels/**/*.txt",
    "masks.yaml",
)


def list_files(path: PathLike) -> list[str]:
    """Return the files of a data set but images and masks, by names below its folder.

    None if there is no data set.
    """
    folder = Path(path)
    found = (file for pattern in _OWN for file in folder.glob(pattern))
    return sorted(file.relative_to(folder).as_posix() for file in found)


def digest_files(path: PathLike) -> str:
    """Return the SHA-256 of a data set but for images and masks: rows vouch for them.

    Empty if there is no data set.
    """
    names = list_files(path)
    digest = hashlib.sha256()
    for name in names:
        content = Path(path, name).read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest() if names else ""
