"""Pack poses, and say where what is not packed belongs.

tests/workflow/test_bundle.py repeats the runs of bundles.
"""

import zipfile

import pytest
import yaml
from helpers import ROOT

from birdview.counts import Counts
from birdview.pixels.encoding import load_encoding
from birdview.pixels.layout import load_layout
from birdview.pixels.schema import validate
from birdview.reproduce.bundle import name_bundle, write_bundle
from birdview.reproduce.manifest import Row, describe_run, write_manifest

SCANS = "2013_05_28/velodyne/0000000001", "2013_05_29/velodyne/0000000001"


@pytest.fixture
def bundle(tmp_path):
    """Write the bundle of a run; return its settings, its README and its files."""

    def write(**settings):
        given = {"scans": "/data/scans", "dataset": {}, **settings}
        settings = validate(given, "config", "config")
        encodings = {"notebook": load_encoding("notebook")}
        counts = Counts(*[0] * len(Counts._fields))
        rows = [Row("notebook", scan, *"abcd", counts) for scan in SCANS]
        run = describe_run(encodings, load_layout("kitti"), {"classes": "0"})
        manifest = tmp_path / "manifest.tsv"
        write_manifest(manifest, run, rows)
        given = ROOT, settings, {}, manifest
        archive = tmp_path / name_bundle(*given)
        write_bundle(archive, *given, tmp_path, {})
        with zipfile.ZipFile(archive) as opened:
            files = {name: opened.read(name) for name in opened.namelist()}
        return yaml.safe_load(files["config.yaml"]), files["README.md"].decode(), files

    return write


def sweeps(**more):
    return {"sweeps": {"before": 1, **more}}


def test_tables_of_nuscenes_are_put_beside(bundle, tmp_path):
    """They are huge; those for levelling may be others."""
    poses = {"poses": f"{tmp_path}/v1.0-trainval", "format": "nuscenes"}
    config, text, files = bundle(**sweeps(**poses), level=poses)
    assert config["sweeps"]["poses"] == "sweeps/nuscenes"
    assert config["level"]["poses"] == "level/nuscenes"
    assert config["sweeps"]["calib"] is None
    assert "with the name `sweeps/nuscenes`" in text
    assert "with the name `level/nuscenes`" in text
    assert "The poses are included" not in text
    assert not [name for name in files if name.startswith(("sweeps", "level"))]


def test_calibration_of_kitti360_is_a_folder(bundle, tmp_path):
    """Of which text is packed; each drive has poses of its own."""
    calib = tmp_path / "calibration"
    calib.mkdir()
    (calib / "perspective.txt").write_text("R_rect_00: 1 0 0 0 1 0 0 0 1\n")
    (calib / "image_02.yaml").write_text("camera: large\n")
    for drive in ("2013_05_28", "2013_05_29", "2013_05_30"):
        (tmp_path / f"{drive}_sync.txt").write_text(f"# {drive}\n")
    config, text, files = bundle(
        **sweeps(
            poses=f"{tmp_path}/{{drive}}_sync.txt",
            format="kitti360",
            calib=str(calib),
        )
    )
    assert config["sweeps"]["poses"] == "sweeps/{drive}/poses.txt"
    assert config["sweeps"]["calib"] == "sweeps/calib"
    packed = {name: files[name] for name in files if name.startswith("sweeps/")}
    assert packed == {
        "sweeps/2013_05_28/poses.txt": b"# 2013_05_28\n",
        "sweeps/2013_05_29/poses.txt": b"# 2013_05_29\n",
        "sweeps/calib/perspective.txt": b"R_rect_00: 1 0 0 0 1 0 0 0 1\n",
    }
    assert "The poses are included: `sweeps/{drive}/poses.txt`." in text
    assert "whole drives are needed" in text


@pytest.mark.parametrize(
    ("path", "inside"),
    [
        ("/data/labels", "point_labels"),
        ("../{drive}/labels", "point_labels/{drive}/labels"),
        ("/data/of_{drive}/./labels/", "point_labels/of_{drive}/labels"),
    ],
)
def test_labels_of_points_are_put_beside(bundle, path, inside):
    """Below the folder whose name is that of a drive, their folders are the same."""
    config, text, _ = bundle(point_labels={"path": path})
    assert config["point_labels"]["path"] == inside
    assert config["point_labels"]["map"] == "semantickitti"
    assert "beside\nthis file with the name `point_labels`" in text
    assert (f"those of a drive belong into\n`{inside}`." in text) == ("{drive}" in path)


def test_what_is_not_set_stays_so(bundle):
    """Without sweeps, sensors and labels of points."""
    config, text, _ = bundle(scans=None)
    for key in ("scans", "sensors", "sweeps", "level", "point_labels"):
        assert config[key] is None
    assert "poses" not in text
    assert "labels" not in text


def test_missing_poses_are_named(bundle, tmp_path):
    """They may have gone since the images were rendered."""
    with pytest.raises(FileNotFoundError, match=r"gone\.txt"):
        bundle(**sweeps(poses=f"{tmp_path}/gone.txt"))
