"""The folder of a data set has its files as they should be, and no others."""

import os

import pytest

from birdview.training.folder import DatasetFolder


@pytest.fixture
def folder(tmp_path):
    return DatasetFolder(str(tmp_path / "mv3d"), ".png", {"train": ["a/0"]}, True)


def again(folder):
    """Return what the next run makes of the same folder."""
    return DatasetFolder(folder.path, folder.suffix, folder.splits, folder.has_labels)


def test_images_are_links_that_follow_new_ones(tmp_path, folder):
    """An image that was rendered again is another file."""
    image, name = tmp_path / "0.png", folder.image("train", "a/0")
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
    image, name = tmp_path / "0.png", folder.image("train", "a/0")
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
    name = folder.label("train", "a/0")
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
    """Images and labels of scans or splits that are gone, and empty folders."""
    for name in (
        *(folder.image("train", "a/0"), folder.label("train", "a/0")),
        *("images/train/b/1.png", "images/val/2.tiff", "images/val/2.npy"),
        *("labels/train/b/1.txt", "labels/train.cache", "notes.txt", "best.png"),
    ):
        folder.write(name, b"")
    again(folder).remove_others()
    left = [path.relative_to(folder.path) for path in tmp_path.rglob("*.*")]
    assert sorted(map(str, left)) == [
        *("best.png", "images/train/a/0.png", "labels/train.cache"),
        *("labels/train/a/0.txt", "notes.txt"),
    ]
    assert not os.path.exists(f"{folder.path}/images/val")
    assert not os.path.exists(f"{folder.path}/images/train/b")
