"""Measure what a scan costs on this machine, on Slurm, and with object storage.

    PYTHONPATH=tests/cluster python tests/soak/cluster.py SCANS [COUNT]

in an environment of envs/cluster.txt, as root, with the packages that tests/cluster
needs. Each variant renders links to the scans of a folder, COUNT or 500 of them, three
times in turns. The figures are in docs/cluster.md.
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
TURNS = 3
FEW = 50  # for variants that take long


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
    """Upload scans to a bucket, and create another one for the images."""
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


def list_variants(folder, count, turn):
    """Return the number of scans and the arguments of each variant."""
    slurm_profile = ("--profile", ROOT / "profiles" / "slurm")
    s3_profile = ("--profile", ROOT / "profiles" / "s3", "--default-storage-prefix")
    settings = ("--cores", "2", "--config", "encodings=[mv3d]")
    two = f"scans_per_job={(count + 1) // 2}"
    here, few = f"scans={folder / 'scans'}", f"scans={folder / 'few'}"
    s3, few_s3 = "scans=s3://scans/all", "scans=s3://scans/few"
    to_s3 = (*s3_profile, f"s3://images/{turn}")
    few_to_s3 = (*s3_profile, f"s3://images/few{turn}")
    return {
        "here, one job per image": (count, (*settings, here)),
        "here, two jobs": (count, (*settings, here, two)),
        "Slurm, two jobs": (count, (*slurm_profile, *settings, here, two)),
        "S3 to S3, two jobs": (count, (*to_s3, *settings, s3, two)),
        "S3 to a folder, two jobs": (count, (*settings, s3, two)),
        "here, one job per image, few": (FEW, (*settings, few)),
        "S3 to S3, few": (FEW, (*few_to_s3, *settings, few_s3)),
        "S3 to a folder, few": (FEW, (*settings, few_s3)),
    }


def main():
    """Measure the variants in turns."""
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
        for turn in range(TURNS):
            for variant, (_, arguments) in list_variants(folder, count, turn).items():
                took = run(folder / f"{variant} {turn}", *arguments)
                seconds.setdefault(variant, []).append(took)
        for variant, (number, _) in list_variants(folder, count, 0).items():
            middle = median(seconds[variant])
            each = 1000 * middle / number
            print(f"{variant}: {number} scans {middle:.1f} s, {each:.0f} ms each")


if __name__ == "__main__":
    main()
