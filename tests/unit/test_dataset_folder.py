"""The folder of a data set has its files as they should be, and no others."""

import os

import pytest

from birdview.dataset import is_of_dataset
from birdview.training.folder import KeptFolder

IMAGE, LABEL = "images/train/a/0.png", "labels/train/a/0.txt"


@pytest.fixture
def folder(tmp_path):
    return KeptFolder(tmp_path / "mv3d")


def again(folder):
    """Return what the next run makes of the same folder."""
    return KeptFolder(folder.path)


def test_images_are_links_that_follow_new_ones(tmp_path, folder):
    """An image that was rendered again is another file."""
    image, name = tmp_path / "0.png", IMAGE
    image.write_bytes(b"1")
    folder.link(image, name)
    link = f"{folder.path}/images/train/a/0.png"
    assert os.path.samefile(image, link)
    before = os.stat(link)
    again(folder).link(image, name)
    assert os.stat(link).st_ctime_ns == before.st_ctime_ns
    (tmp_path / "1.png").write_bytes(b"2")
    os.replace(tmp_path / "1.png", image)
    again(folder).link(image, name)
    assert os.path.samefile(image, link)


def test_images_are_copied_to_another_disk(tmp_path, folder, monkeypatch):
    """And once only, unless they were rendered again."""

    def refuse(source, target):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    image, name = tmp_path / "0.png", IMAGE
    image.write_bytes(b"1")
    folder.link(image, name)
    copy = f"{folder.path}/{name}"
    assert not os.path.samefile(image, copy)
    before = os.stat(copy).st_ino
    again(folder).link(image, name)
    assert os.stat(copy).st_ino == before
    image.write_bytes(b"2")
    os.utime(image, (1, 1))
    again(folder).link(image, name)
    with open(copy, "rb") as file:
        assert file.read() == b"2"


def test_files_are_written_if_they_differ(folder):
    """So that a trainer sees new times of new labels alone."""
    name = LABEL
    folder.write(name, b"0 1\n")
    path = f"{folder.path}/labels/train/a/0.txt"
    before = os.stat(path).st_ino
    again(folder).write(name, b"0 1\n")
    assert os.stat(path).st_ino == before
    again(folder).write(name, b"0 2\n")
    assert os.stat(path).st_ino != before


def test_images_are_converted_once(tmp_path, folder):
    """They are made from an image as it is."""
    image, name, made = tmp_path / "0.png", "images/train/a/0.tiff", []

    def convert(path):
        made.append(path)
        return b"pages"

    image.write_bytes(b"1")
    for _ in range(2):
        again(folder).convert(image, name, convert)
    assert made == [image]
    os.utime(image, (1, 1))
    again(folder).convert(image, name, convert)
    assert made == [image, image]


def test_others_are_removed_but_not_those_of_trainers(tmp_path, folder):
    """Files of scans, splits and formats that are gone, and empty folders."""
    theirs = "labels/train.cache", "notes.txt", "best.png", "runs/coco_val.json"
    theirs += ("masks/train.cache",)
    for name in (
        *(IMAGE, LABEL, "coco_train.json", "coco_val.json", "data.yaml", *theirs),
        *("images/train/b/1.png", "images/val/2.tiff", "images/val/2.npy"),
        *("labels/train/b/1.txt", "masks/train/b/1.png", "masks.yaml", "classes.json"),
    ):
        folder.write(name, b"")
    next_run = again(folder)
    for name in (IMAGE, LABEL, "coco_train.json"):
        next_run.write(name, b"")
    next_run.remove_others(is_of_dataset)
    left = [path.relative_to(folder.path) for path in tmp_path.rglob("*.*")]
    expected = [IMAGE, LABEL, "coco_train.json", *theirs]
    assert sorted(map(str, left)) == sorted(expected)
    assert not os.path.exists(f"{folder.path}/images/val")
    assert not os.path.exists(f"{folder.path}/images/train/b")
