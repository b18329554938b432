"""Settings as people write them: what is accepted, and what an error says."""

import re

import pytest
import yaml
from snakemake.cli import parse_config

from birdview.paths import ROOT
from birdview.settings import find_file, read_settings

SHIPPED = ROOT / "config.yaml"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Work in an empty folder, at a home of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/me")
    return tmp_path


def read(*typed):
    """Read what the command line has after ``--config``."""
    return read_settings(parse_config(typed), typed=typed)


@pytest.mark.parametrize("text", ["mv3d", "mv3d,pixor", "mv3d,pixor,"])
def test_encodings_need_no_brackets(text):
    """A list of names with commas between them."""
    names = text.strip(",").split(",")
    assert read(f"encodings={text}")["encodings"] == names
    assert read_settings({"encodings": text})["encodings"] == names


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("demo=8", "demo: 8, expected keys and values: 'demo={scans: 8}' on the "
         "command line"),
        ("demo=20", "demo: 20, expected keys and values: 'demo={scans: 20}' on the "
         "command line"),
        ("frame=2.1", "frame: 2.1, expected keys and values: 'frame={height: 2.1}' on "
         "the command line"),
        ("frame=high", "frame: 'high', expected keys and values: "
         "'frame={height: 2.1}' on the command line"),
        ("sweeps=4", "sweeps: 4, expected keys and values: "
         "'sweeps={before: 4, poses: poses.txt}' on the command line"),
        ("level=poses.txt", "level: 'poses.txt', expected keys and values: "
         "'level={poses: poses.txt}' on the command line"),
        ("scans=2011_09_26", "scans: 2011_09_26 is a number to Snakemake, expected the "
         "path of a folder: scans=./2011_09_26"),
        ("scans=00", "scans: 00 is a number to Snakemake, expected the path of a "
         "folder: scans=./00"),
        ("split=0", "split: 0 is a number to Snakemake, expected the path of a file: "
         "split=./0"),
        ("scans=~/x", "scans: ~/x, expected the whole path, as only shells replace ~ "
         "and $: /home/me/x"),
        ("scans=$HOME/x", "scans: $HOME/x, expected the whole path, as only shells "
         "replace ~ and $: /home/me/x"),
        ("labels={format: boxes, path: ~/x}", "labels: path: ~/x, expected the whole "
         "path, as only shells replace ~ and $: /home/me/x"),
        ("encodings=[~/my.yaml]", "encodings: ~/my.yaml, expected the whole path, as "
         "only shells replace ~ and $: /home/me/my.yaml"),
        ("scan=x", "Additional properties are not allowed ('scan' was unexpected) (did "
         "you mean scans?); allowed: "),
        ("strict=yes", "strict: 'yes', expected true or false"),
        ("encodings=null", "encodings: 'null', expected a list"),
        ("encodings=", "encodings: None, expected a list"),
        ("encodings=[mv3d,,pixor]", "encodings: '[mv3d,,pixor]', expected a list"),
        ("scans_per_job=all", "scans_per_job: 'all', expected a whole number or null"),
        ("bundle=image", "bundle: image (did you mean images?), expected one of "
         "digests, images"),
        ("labels={format: kiti, path: x}", "labels: format: kiti (did you mean "
         "kitti?), expected one of kitti, boxes, labelcloud, argoverse2"),
        ("frame_rate=fast", "frame_rate: 'fast', expected a number"),
        ("demo={scan: 20}", "demo: Additional properties are not allowed ('scan' was "
         "unexpected) (did you mean scans?); allowed: scans, seed"),
        ("dataset=velodyne", "dataset: 'velodyne', expected keys and values: "
         "'dataset={by: drive}' on the command line"),
        ("dataset={splits: 0.8}", "dataset: splits: '0.8', expected keys and values"),
    ],
)  # fmt: skip
def test_mistakes_on_the_command_line(typed, message):
    """One line: the key, what was found, what was expected, how to type it."""
    with pytest.raises(ValueError, match=f"^{re.escape(f'config: {message}')}"):
        read(typed)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("scans: 2011_09_26", "scans: 20110926, expected text or null; yaml takes it "
         "for a number: put ./ before the name of a file or a folder, as in "
         "./2011_09_26"),
        ("scans: 00", "scans: 0, expected text or null; yaml takes it for a number"),
        ("scans: ~/x", "scans: ~/x, expected the whole path, as only shells replace ~ "
         "and $: /home/me/x"),
        ("scans: x\ndemo: 8", "demo: 8, expected keys and values"),
        ("encoding: [mv3d]", "Additional properties are not allowed ('encoding' was "
         "unexpected) (did you mean encodings?)"),
    ],
)  # fmt: skip
def test_an_error_names_the_file(folder, text, message):
    """Not only the key, if it is a file's that was merged into the settings."""
    path = folder / "my.yaml"
    path.write_text(text)
    (folder / "fine.yaml").write_text("pathvars: {a: b}\nstrict: true")
    settings = yaml.safe_load(text)
    with pytest.raises(ValueError, match=f"^{re.escape(f'{path}: {message}')}"):
        read_settings(settings, files=[folder / "fine.yaml", path])


def test_a_folder_may_be_called_like_a_home(folder):
    """What exists is taken as it is; patterns have no homes."""
    (folder / "~").mkdir()
    assert read_settings({"scans": "~"})["scans"] == "~"
    assert read_settings({"match": "~/*.bin"})["match"] == "~/*.bin"


def test_a_file_with_settings_is_read(folder):
    """With any key of ours; not the one of the clone itself."""
    path = folder / "config.yaml"
    assert find_file("config.yaml", SHIPPED) == (None, "")
    for text in (
        "scans: x",
        "pathvars: {results: out}",
        "reference: x",
        '{"scans": 1}',
    ):
        path.write_text(text)
        assert find_file("config.yaml", SHIPPED) == (str(path), "")
    path.unlink()
    path.symlink_to(SHIPPED)
    assert find_file("config.yaml", SHIPPED) == (None, "")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ""),
        ("# scans: x\n", ""),
        ("- a\n- b\n", ""),
        ("model: {layers: 3}\nlr: !!python/x 1", ", but model"),
        ("lr: 1\nscan: x\n", ", but lr (did you mean scans?)"),
    ],
)
def test_a_file_of_something_else_is_ignored(folder, text, found):
    """With one line that says so."""
    (folder / "config.yaml").write_text(text)
    path, why = find_file("config.yaml", SHIPPED)
    expected = f"ignored: no setting of birdview in it{found}"
    assert (path, why) == (None, f"{folder}/config.yaml: {expected}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("scans: x\nscanz: y", "scanz: unknown setting (did you mean scans?), expected "
         "settings of birdview alone; all: scans, match, "),
        ("scans: x\nencodings: [mv3d\nlayout: kitti\n", "line 3, column 7: while "
         "parsing a flow sequence expected ',' or ']', but got ':', expected yaml"),
        ("frame:\n\theight: 2", "line 2, column 1: while scanning for the next token "
         "found character '\\t' that cannot start any token, expected yaml"),
        ("scans=x\n", "line 1: 'scans=x', expected keys and values, such as scans: "),
        ("scans: x\nstrict: true\nscans: y\n", "line 3: scans for the second time, "
         "expected it once"),
    ],
)  # fmt: skip
def test_a_broken_file(folder, text, message):
    """Its line and column."""
    path = folder / "config.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=f"^{re.escape(f'{path}: {message}')}"):
        find_file("config.yaml", SHIPPED)


def test_a_file_that_is_not_utf_8(folder):
    """As some editors write it."""
    (folder / "config.yaml").write_bytes("scans: ä".encode("latin-1"))
    with pytest.raises(
        ValueError, match=r"config\.yaml: 'utf-8' codec .* expected yaml"
    ):
        find_file("config.yaml", SHIPPED)
