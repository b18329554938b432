"""Scans from and images to a real S3 server, checked by another client (curl)."""

import os
import re
import shutil
import signal
import subprocess
from functools import partial

import numpy as np
import pytest
from helpers import ROOT, wait_for
from object_store import object_store

from birdview.benchmark.formats import FORMATS
from birdview.demo import write_scan
from birdview.image import decode_image
from birdview.pixels.encoding import load_encoding
from birdview.pixels.render import render
from birdview.pixels.scan import read_scan

pytestmark = pytest.mark.cluster

PROFILE = ("--profile", ROOT / "profiles" / "s3")
JOBS = "workflow/scripts/birdview/jobs.py"
SETTINGS = ("--config", "scans=s3://scans/kitti", "encodings=[lyft]", "scans_per_job=4")
SWEEPS = "sweeps={before: 2, poses: poses.txt, format: table}"
KEYS = ("SNAKEMAKE_STORAGE_S3_ACCESS_KEY", "SNAKEMAKE_STORAGE_S3_SECRET_KEY")


class Client:
    """A client for S3 that shares no code with the plugin."""

    def __init__(self, store):
        self.store = store
        self.environment = {
            "SNAKEMAKE_STORAGE_S3_ENDPOINT_URL": store.endpoint,
            KEYS[0]: store.access_key,
            KEYS[1]: store.secret_key,
        }

    def ask(self, path, *options):
        """Send a request; return the body of the answer."""
        user = f"{self.store.access_key}:{self.store.secret_key}"
        command = [
            *("curl", "--silent", "--show-error", "--fail", "--user", user),
            *("--aws-sigv4", "aws:amz:us-east-1:s3"),
            *("--header", "x-amz-content-sha256: UNSIGNED-PAYLOAD"),
            *(*options, f"{self.store.endpoint}/{path}"),
        ]
        return subprocess.run(command, capture_output=True, check=True).stdout

    def put(self, path, file):
        """Upload a file."""
        self.ask(path, "--upload-file", file)

    def objects(self, bucket):
        """Return the modification time of each object by its key."""
        answer = self.ask(f"{bucket}?list-type=2").decode()
        return dict(
            re.findall(r"<Key>(.*?)</Key><LastModified>(.*?)</LastModified>", answer)
        )

    def images(self):
        """Return the modification time of each image by its key."""
        return {
            key: time
            for key, time in self.objects("images").items()
            if key.endswith(".png")
        }


@pytest.fixture(scope="module")
def client(cluster_python, tmp_path_factory):
    """Start Ceph with two buckets."""
    for program in ("ceph-mon", "ceph-osd", "radosgw", "radosgw-admin", "ceph", "curl"):
        if shutil.which(program) is None:
            pytest.skip(f"no {program} here for the tests' S3 server")
    with object_store(tmp_path_factory.mktemp("ceph")) as store:
        client = Client(store)
        for bucket in ("scans", "images"):
            client.ask(bucket, "--request", "PUT")
        yield client


@pytest.fixture
def drive(client, project, cluster_python, make_scan):
    """Upload ten scans; return a project that can run with buckets."""
    project.right = {}

    def put(name, seed):
        scan = make_scan(project.folder / "scan.bin", 500, seed=seed)
        client.put(f"scans/kitti/{name}.bin", scan)
        render(scan, project.folder / "right.png", load_encoding("lyft"))
        right = (project.folder / "right.png").read_bytes()
        project.right[f"run/results/lyft/{name}.png"] = right

    def call(do, *arguments, images="images/run", environment=None, **options):
        where = (*PROFILE, "--default-storage-prefix", f"s3://{images}")
        return do(
            *(where if images else ()),
            *arguments,
            python=cluster_python,
            environment=client.environment | (environment or {}),
            **options,
        )

    for number in range(10):
        put(f"drive_{number // 5}/{number}", number)
    for key in client.objects("images"):
        client.ask(f"images/{key}", "--request", "DELETE")
    project.put, project.client = put, client
    project.in_bucket = partial(call, project.run)
    project.start_in_bucket = partial(call, project.start)
    return project


def check(drive):
    """Check that the images in the bucket equal local ones byte for byte."""
    assert drive.client.images().keys() == drive.right.keys()
    for key, right in drive.right.items():
        assert drive.client.ask(f"images/{key}") == right


@pytest.mark.parametrize("size", [1, 4, "null"])
def test_scans_and_images_in_buckets(drive, size):
    """In batches of any size; a second run renders only what changed."""
    settings = (*SETTINGS[:-1], f"scans_per_job={size}")
    drive.in_bucket(*settings)
    check(drive)
    assert "run/results/lyft/grid.json" in drive.client.objects("images")
    assert not (drive.folder / "results" / "lyft").exists()
    assert "Nothing to be done" in drive.in_bucket(*settings)
    before = drive.client.images()
    drive.put("drive_0/1", seed=100)
    drive.in_bucket(*settings)
    check(drive)
    after = drive.client.images()
    assert sum(after[key] != time for key, time in before.items()) == 1


def test_deleted_image_is_rendered_again(drive):
    """And no other, whoever deleted it."""
    drive.in_bucket(*SETTINGS)
    before = drive.client.images()
    name = "run/results/lyft/drive_0/1.png"
    drive.client.ask(f"images/{name}", "--request", "DELETE")
    drive.in_bucket(*SETTINGS)
    check(drive)
    after = drive.client.images()
    assert {key for key in after if after[key] != before[key]} <= {name}


def test_image_by_its_name(drive):
    """Snakemake copies its scan and the image."""
    name = "results/lyft/drive_0/1.png"
    drive.in_bucket(name, *SETTINGS)
    drive.right = {f"run/{name}": drive.right[f"run/{name}"]}
    check(drive)


def test_sweeps_and_sensors_in_a_bucket(drive, make_scan):
    """Their images are those of the same scans here; a scan makes three stale."""
    rows = []
    for number in range(5):
        for folder, seed in (("kitti", number), ("other", 100 + number)):
            scan = make_scan(drive.folder / "scan.bin", 500, seed=seed)
            drive.client.put(f"scans/two/{folder}/{number}.bin", scan)
            here = drive.folder / "here" / folder / f"{number}.bin"
            here.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(scan, here)
        rows.append(f"{number} 1 0 0 {number} 0 1 0 0 0 0 1 0\n")
    (drive.folder / "poses.txt").write_text("".join(rows))
    shared = "--config", "encodings=[lyft]", SWEEPS
    drive.run(*shared, "sensors=[{scans: here/kitti}, {scans: here/other}]")
    in_bucket = "sensors=[{scans: s3://scans/two/kitti}, {scans: s3://scans/two/other}]"
    settings = (*shared, in_bucket, "scans_per_job=3")

    def compare():
        for image in drive.folder.glob("results/lyft/*.png"):
            content = drive.client.ask(f"images/run/results/lyft/{image.name}")
            assert content == image.read_bytes()

    drive.in_bucket(*settings)
    compare()
    before = drive.client.images()
    assert len(before) == 5
    assert "Nothing to be done" in drive.in_bucket(*settings)
    drive.client.put("scans/two/other/1.bin", scan)
    shutil.copy(scan, drive.folder / "here" / "other" / "1.bin")
    drive.in_bucket("results/lyft/2.png", *shared, in_bucket)
    drive.in_bucket(*settings)
    drive.run(*shared, "sensors=[{scans: here/kitti}, {scans: here/other}]")
    compare()
    after = drive.client.images()
    assert sum(after[key] != time for key, time in before.items()) == 3

    mixed = "sensors=[{scans: here/kitti}, {scans: s3://scans/two/other}]"
    for size in ("3", "null"):  # in batches, and an image by its name
        drive.client.ask("images/run/results/lyft/2.png", "--request", "DELETE")
        drive.in_bucket("results/lyft/2.png", *shared, mixed, f"scans_per_job={size}")
        compare()


def test_warnings_about_images_in_a_bucket(drive):
    """Their text is kept here; a second run gives the same."""
    scan = drive.folder / "bright.bin"
    points = np.random.default_rng(0).uniform(-9, 9, (2000, 4)).astype("<f4")
    points[:, 3] = 200
    points.tofile(scan)
    drive.client.put("scans/kitti/drive_1/9.bin", scan)
    for _ in range(2):
        output = drive.in_bucket(*SETTINGS)
        assert "such as drive_1/9: " in output
        table = (drive.folder / "results" / "warnings.tsv").read_text()
        assert re.search(r"\t(lyft|-)\tdrive_1/9\t", table)


@pytest.mark.parametrize("is_older", [False, True])
def test_bad_scan_fails_alone(drive, is_older):
    """It is named at the terminal; its older image is removed from the bucket."""
    if is_older:
        drive.in_bucket(*SETTINGS)
    bad = drive.folder / "bad.bin"
    bad.write_bytes(bytes(17))
    drive.client.put("scans/kitti/drive_1/7.bin", bad)
    del drive.right["run/results/lyft/drive_1/7.png"]
    output = drive.in_bucket(*SETTINGS, expect=1)
    assert "s3://scans/kitti/drive_1/7.bin: 17 bytes found, expected" in output
    check(drive)
    failed = drive.folder / "results" / "failed.tsv"
    (row,) = failed.read_text().splitlines()[1:]
    assert row.startswith("lyft\tdrive_1/7\t")
    assert "17 bytes found" in row
    drive.put("drive_1/7", seed=7)
    assert "\n0 failed" in drive.in_bucket(*SETTINGS)
    assert failed.read_text() == "encoding\tscan\terror\n"
    check(drive)


def test_scans_in_a_bucket_and_local_images(drive):
    """Without a prefix, results are in the folder; a split chooses the scans."""
    (drive.folder / "split.txt").write_text("drive_0/3\ndrive_1/8\n")
    drive.in_bucket(*SETTINGS, "split=split.txt", images=None)
    images = sorted(drive.folder.glob("results/lyft/*/*.png"))
    names = ["drive_0/3.png", "drive_1/8.png"]
    assert images == [drive.folder / "results" / "lyft" / name for name in names]
    for name, image in zip(names, images, strict=True):
        assert image.read_bytes() == drive.right[f"run/results/lyft/{name}"]


def test_local_scans_and_images_in_a_bucket(drive, make_scan):
    """With an own encoding."""
    lyft = drive.source / "workflow" / "encodings" / "lyft.yaml"
    own = load_encoding(shutil.copy(lyft, drive.folder / "own.yaml"))
    drive.right = {}
    for number in range(3):
        scan = make_scan(drive.folder / "here" / f"{number}.bin", 500, seed=number)
        render(scan, drive.folder / "right.png", own)
        right = (drive.folder / "right.png").read_bytes()
        drive.right[f"run/results/own/{number}.png"] = right
    drive.in_bucket(*SETTINGS, "scans=here", "encodings=[own.yaml]")
    check(drive)


def test_scans_of_another_format(drive):
    """PCD beside records: the same pixels; an error names the object."""
    (pcd,) = (form for form in FORMATS if form.name == "pcd, binary")
    scan, file = drive.folder / "a.bin", drive.folder / "a.pcd"
    write_scan(scan, 0, 0)
    pcd.write(read_scan(scan), file)
    drive.client.put("scans/other/a.pcd", file)
    file.write_bytes(file.read_bytes()[:-40])
    drive.client.put("scans/other/cut.pcd", file)
    drive.client.put("scans/other/a.bin", scan)
    settings = ("--config", "scans=s3://scans/other", "layout=pcd", "encodings=[lyft]")
    output = drive.in_bucket(*settings, expect=1)
    assert re.search(r"^s3://scans/other/cut\.pcd: \d+ bytes after the", output, re.M)
    assert set(drive.client.images()) == {"run/results/lyft/a.png"}
    image = drive.client.ask("images/run/results/lyft/a.png")
    render(scan, drive.folder / "right.png", load_encoding("lyft"))
    np.testing.assert_array_equal(
        decode_image(image, "a.png")[1],
        decode_image((drive.folder / "right.png").read_bytes(), "right.png")[1],
    )


def test_interrupted_batch_keeps_images_in_the_bucket(drive):
    """Ctrl-C while a batch is rendered again: it had not come to most images."""
    one_batch = (*SETTINGS[:-1], "scans_per_job=10")
    drive.in_bucket(*one_batch)
    before = drive.client.images()
    for number in range(10):
        drive.put(f"drive_{number // 5}/{number}", seed=100 + number)
    drive.inject_fault("import time; time.sleep(1.5)")
    process = drive.start_in_bucket(*one_batch)
    wait_for(lambda: drive.client.images() != before)
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1, output
    assert drive.client.images().keys() == before.keys()
    drive.edit(JOBS, "import time; time.sleep(1.5)", "pass")
    drive.in_bucket(*one_batch)
    check(drive)


def test_missing_scan_of_a_split_fails_alone(drive):
    """It is named."""
    (drive.folder / "split.txt").write_text("drive_0/3\ndrive_0/33\n")
    output = drive.in_bucket(*SETTINGS, "split=split.txt", expect=1)
    assert (
        "split: split.txt: 1 of 2 scans not found in s3://scans/kitti, the first in "
        "line 2: 'drive_0/33'; the nearest name that exists is drive_0/3"
    ) in output
    assert list(drive.client.images()) == ["run/results/lyft/drive_0/3.png"]


SCANS = "s3://scans/kitti"
HINT = (
    "expected a bucket at {endpoint}, with its keys in SNAKEMAKE_STORAGE_S3_ACCESS_KEY "
    "and SNAKEMAKE_STORAGE_S3_SECRET_KEY"
)


@pytest.mark.parametrize(
    ("options", "scans", "message"),
    [
        ({"environment": {KEYS[1]: "wrong"}}, SCANS, "default-storage-prefix: "
         "s3://images/run: An error occurred (SignatureDoesNotMatch) when calling the "
         f"ListObjectsV2 operation: None; {HINT}"),
        ({"environment": {KEYS[0]: "wrong"}}, SCANS, "default-storage-prefix: "
         "s3://images/run: An error occurred (InvalidAccessKeyId) when calling the "
         f"ListObjectsV2 operation: None; {HINT}"),
        ({"images": "imagez/run"}, SCANS, "default-storage-prefix: s3://imagez/run: An "
         "error occurred (NoSuchBucket) when calling the ListObjectsV2 operation: "
         f"None; {HINT}"),
        ({}, "s3://scanz/kitti", "scans: s3://scanz/kitti: An error occurred "
         f"(NoSuchBucket) when calling the ListObjects operation: None; {HINT}"),
        ({}, "s3://scans/kitty", "scans: no .bin object in s3://scans/kitty or below, "
         "expected one for each scan"),
        ({}, "s3://scans", "scans: s3://scans, expected a path in a bucket, without # "
         "or ?"),
        ({}, None, "scans: null, expected scans for images in s3://images/run"),
    ],
)  # fmt: skip
def test_error_of_a_bucket_is_one_line(drive, options, scans, message):
    """A wrong key, a missing bucket, and so on."""
    settings = ("--config", f"scans={scans}") if scans else ()
    output = drive.in_bucket(*settings, expect=1, **options)
    message = message.format(endpoint=drive.client.store.endpoint)
    assert message in output.splitlines()
    assert drive.client.objects("images") == {}


@pytest.mark.parametrize("target", ["manifest", "gallery", "verify", "contact_sheet"])
def test_targets_that_need_local_images(drive, target):
    """They fail, rather than work with no images."""
    output = drive.in_bucket(target, *SETTINGS, expect=1)
    assert (
        "default-storage-prefix: the images are in s3://images/run, expected them in "
        "the folder results: copy them here, and omit the prefix"
    ) in output


def test_main_environment_lacks_the_plugin(project):
    """The error says which environment has it."""
    output = project.run(*SETTINGS, expect=1)
    assert (
        "s3://scans/kitti: no plugin for it, expected the environment of "
        "envs/cluster.txt"
    ) in output.splitlines()
