"""Records know the states of files, and which images were made from which scans."""

import os

import pytest

from birdview.records import Known, Records, state_of

RECIPES = {"mv3d": "a", "pixor": "b"}
STATE = [16, 1, 2]


@pytest.fixture
def records(tmp_path):
    return Records(tmp_path, RECIPES)


def known(digest="0" * 64, **images):
    return Known(STATE, digest, images, {})


def test_state_differs_if_a_file_does(tmp_path):
    """Its size, its time, or only what the file system knows of it."""
    path = tmp_path / "a"
    assert state_of(path) is None
    path.write_bytes(b"abc")
    first = state_of(path)
    assert state_of(path) == first
    path.write_bytes(b"abcd")
    second = state_of(path)
    os.utime(path, (1, 1))
    third = state_of(path)
    other = tmp_path / "b"
    other.write_bytes(b"ABCD")
    os.utime(other, (1, 1))
    other.replace(path)
    states = [first, second, third, state_of(path)]
    assert all(states.count(state) == 1 for state in states)
    assert states[2][:2] == states[3][:2]


def test_record_comes_back(records):
    """Also if somebody asks for fewer scans."""
    both = {"0": known(mv3d=[1]), "1": known("1" * 64, mv3d=[2], pixor=["etag"])}
    records.save("batch", both)
    assert records.load("batch", ["0", "1", "2"]) == both
    assert records.load("batch", ["1"]) == {"1": both["1"]}


def test_images_of_another_recipe_are_not_known(records, tmp_path):
    """But their scans are."""
    records.save("batch", {"0": known(mv3d=[1], pixor=[2])})
    other = Records(tmp_path, RECIPES | {"pixor": "c"})
    assert other.load("batch", ["0"]) == {"0": known(mv3d=[1])}
    fewer = Records(tmp_path, {"pixor": "b"})
    assert fewer.load("batch", ["0"]) == {"0": known(pixor=[2])}


def test_new_batch_knows_what_others_know(records):
    """The newest counts."""
    records.save("old", {"0": known("old"), "1": known()})
    os.utime(records._path("old"), (1, 1))
    records.save("young", {"0": known("young"), "2": known()})
    found = records.load("another", ["0", "1", "3"])
    assert found == {"0": known("young"), "1": known()}


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"recipes": {}, "scans": {"a": 1}}', b"\xff"]
)
def test_damaged_record_is_none(records, tmp_path, content):
    """What was known is lost, and nothing else."""
    (tmp_path / "batch.json").write_bytes(content)
    assert records.load("batch", ["0"]) == {}
    records.save("batch", {"0": known()})
    assert records.load("batch", ["0"]) == {"0": known()}


def test_others_are_discarded_if_all_of_them_is_known(records, tmp_path):
    """Those of other scans or other encodings stay."""
    records.save("kept", {"0": known(), "1": known()})
    records.save("covered", {"0": known()})
    records.save("of other scans", {"0": known(), "9": known()})
    Records(tmp_path, {"lyft": "c"}).save("of another encoding", {"0": known()})
    (tmp_path / "damaged.json").write_bytes(b"{")
    removed = records.discard_others({"kept"}, {"0", "1"})
    assert sorted(removed) == ["covered", "damaged"]
    names = {path.stem for path in tmp_path.iterdir()}
    assert names == {"kept", "of other scans", "of another encoding"}


def test_digest_changes_with_each_record(records):
    """And with the recipes."""
    digests = [records.digest(["a", "b"])]
    for batch in "ab":
        records.save(batch, {})
        digests.append(records.digest(["a", "b"]))
    records.save("c", {})
    assert records.digest(["a", "b"]) == digests[-1]
    digests.append(records.digest(["a"]))
    assert len(set(digests)) == 4
