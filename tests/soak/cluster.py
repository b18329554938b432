"""What a scan costs on this machine, on Slurm, and from and to object storage.

    PYTHONPATH=workflow/scripts:tests/cluster python tests/soak/cluster.py SCANS [COUNT]

in an environment of envs/cluster.txt, as root, with the packages that tests/cluster
takes: links to the scans of a folder, COUNT of them or 500, are rendered in each way,
three times in turns. docs/cluster.md has what came out.
"""

import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import boto3
import slurm
from object_store import object_store

ROOT = Path(__file__).parents[2]
TIMES = 3
FEW = 50  # image by image takes long


def run(folder, *arguments):
    """Run snakemake in a new folder; return its seconds."""
    folder.mkdir()
    command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile"]
    start = time.monotonic()
    done = subprocess.run(
        [*command, *arguments], cwd=folder, capture_output=True, text=True
    )
    seconds = time.monotonic() - start
    assert done.returncode == 0, done.stdout + done.stderr
    return seconds


def fill(store, scans, count):
    """Put scans into a bucket; make one for the images."""
    os.environ["SNAKEMAKE_STORAGE_S3_ENDPOINT_URL"] = store.endpoint
    os.environ["SNAKEMAKE_STORAGE_S3_ACCESS_KEY"] = store.access_key
    os.environ["SNAKEMAKE_STORAGE_S3_SECRET_KEY"] = store.secret_key
    client = boto3.client(
        "s3",
        endpoint_url=store.endpoint,
        aws_access_key_id=store.access_key,
        aws_secret_access_key=store.secret_key,
    )
    for name in ("scans", "images"):
        client.create_bucket(Bucket=name)
    for number in range(count):
        body = scans[number % len(scans)].read_bytes()
        client.put_object(Bucket="scans", Key=f"all/{number:06}.bin", Body=body)
        if number < FEW:
            client.put_object(Bucket="scans", Key=f"few/{number:06}.bin", Body=body)


def list_ways(folder, count, turn):
    """Return for each way how many scans it renders, and its arguments."""
    slurm_profile = ("--profile", ROOT / "profiles" / "slurm")
    s3_profile = ("--profile", ROOT / "profiles" / "s3", "--default-storage-prefix")
    settings = (
        "--cores",
        "2",
        "--config",
        "encodings=[mv3d]",
        f"part_size={count // 2}",
    )
    here, few = f"scans={folder / 'scans'}", f"scans={folder / 'few'}"
    return {
        "here": (count, (*settings, here)),
        "here, two parts": (count, ("parts", *settings, here)),
        "Slurm, two jobs of one core": (
            count,
            (*slurm_profile, "--set-threads", "render_part=1", *settings, here),
        ),
        "S3 to S3, two parts": (
            count,
            (
                "parts",
                *s3_profile,
                f"s3://images/{turn}",
                *settings,
                "scans=s3://scans/all",
            ),
        ),
        "S3 to a folder, two parts": (
            count,
            ("parts", *settings, "scans=s3://scans/all"),
        ),
        "here, few": (FEW, (*settings, few)),
        "S3 to S3, image by image, few": (
            FEW,
            (*s3_profile, f"s3://images/few{turn}", *settings, "scans=s3://scans/few"),
        ),
        "S3 to a folder, image by image, few": (
            FEW,
            (*settings, "scans=s3://scans/few"),
        ),
    }


def main():
    """Measure each way in turns."""
    scans, count = sorted(Path(sys.argv[1]).glob("*.bin")), int([*sys.argv, 500][2])
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for name in ("slurm", "ceph", "scans", "few"):
            (folder / name).mkdir()
        stack.enter_context(slurm.running(folder / "slurm"))
        fill(stack.enter_context(object_store(folder / "ceph")), scans, count)
        for number in range(count):
            target = scans[number % len(scans)].resolve()
            (folder / "scans" / f"{number:06}.bin").symlink_to(target)
            if number < FEW:
                (folder / "few" / f"{number:06}.bin").symlink_to(target)
        seconds = {}
        for turn in range(TIMES):
            for way, (_, arguments) in list_ways(folder, count, turn).items():
                took = run(folder / f"{way} {turn}", *arguments)
                seconds.setdefault(way, []).append(took)
        for way, (some, _) in list_ways(folder, count, 0).items():
            middle = median(seconds[way])
            each = 1000 * middle / some
            print(f"{way}: {some} scans {middle:.1f} s, {each:.0f} ms each")


if __name__ == "__main__":
    main()
