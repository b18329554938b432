"""Run the commands of README and docs in a new clone.

    python tests/soak/commands.py           # some minutes
    python tests/soak/commands.py --new     # sets up the environment, too

The folders in /data that they name hold a few of the demo's scans, with labels. What is
left out, because it needs a cluster, a GPU and the like, is listed at the end.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import yaml

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS), str(TESTS.parent / "workflow" / "scripts")]

from commands import PAGES, find_commands, run_elsewhere  # noqa: E402
from helpers import ROOT  # noqa: E402

from birdview import read_scan  # noqa: E402
from birdview.demo import write_scan  # noqa: E402

SETUP = re.search(r"<!-- demo -->\n```bash\n(.*)\n```", PAGES["README.md"])[1]
CALIBRATION = """\
P2: 721.5 0 609.6 44.9 0 721.5 172.9 0.2 0 0 1 0.003
R0_rect: 1 0 0 0 1 0 0 0 1
Tr_velo_to_cam: 0 -1 0 0 0 0 -1 -0.08 1 0 0 -0.27
"""
LABEL = "Car 0 0 0 600 170 640 200 1.5 2 4 -3 1.7 12 -1.57\n"


def main():
    """Run all commands; the exit status is 1 if one fails."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--new", action="store_true", help="set up an environment")
    is_new = parser.parse_args().new
    failed, left_out = 0, {}
    with TemporaryDirectory() as name:
        folder = Path(name)
        clone = folder / "clone"
        subprocess.check_call(["git", "clone", "--quiet", ROOT, clone])
        make_data(folder / "data")
        if is_new:
            failed += run(SETUP, clone, folder)
        else:
            (clone / ".venv").mkdir()
            (clone / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
        for command in find_commands():
            if file := run_elsewhere(command.text):
                left_out[command.text] = file
                continue
            prepare(command, clone, folder)
            failed += run(complete(command), clone, folder)
    for text, file in left_out.items():
        print(f"left out: {text} ({file})")
    sys.exit(failed > 0)


def make_data(data):
    """Write what the pages expect in /data: scans of KITTI, of a van, and labels."""
    kitti = data / "kitti" / "training"
    for kind in ("velodyne", "calib", "label_2", "image_2"):
        (kitti / kind).mkdir(parents=True)
    (data / "van").mkdir()
    for place, number in enumerate((0, 1, 2, 3, 4, 5, 8, 123)):
        scan = f"{number:06}"
        write_scan(kitti / "velodyne" / f"{scan}.bin", place, seed=0)
        (kitti / "calib" / f"{scan}.txt").write_text(CALIBRATION)
        (kitti / "label_2" / f"{scan}.txt").write_text(LABEL)
        cv2.imwrite(kitti / "image_2" / f"{scan}.png", np.zeros((375, 1242), np.uint8))
        points = read_scan(kitti / "velodyne" / f"{scan}.bin")
        kinds = [("xyz", "<f4", 3), ("intensity", "u1"), ("tag", "u1"), ("_", "<u2")]
        records = np.zeros(len(points), dtype=kinds)
        records["xyz"] = points[:, :3]
        records["intensity"] = points[:, 3] * 255
        records.tofile(data / "van" / f"{scan}.bin")
    (data / "scans").symlink_to(kitti / "velodyne")


def prepare(command, clone, folder):
    """Write the settings that a command uses, and what others would have made."""
    if not command.folder:
        return
    work = clone / command.folder
    text = yaml.safe_dump(command.settings).replace("/data/", f"{folder}/data/")
    note = work / "documented"
    if not note.exists() or note.read_text() != text:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        for file in (work / "config.yaml", note):
            file.write_text(text)
        (work / "my").mkdir()
        page = PAGES["docs/layouts.md"]
        van = re.search(r"```yaml\n(# my/van\.yaml.*?)```", page, flags=re.DOTALL)[1]
        (work / "my" / "van.yaml").write_text(van)
    if "compare_with" in command.text:
        run(f"snakemake --directory {command.folder} manifest", clone, folder)
        (clone / "their").mkdir(exist_ok=True)
        shutil.copy(work / "results" / "manifest.tsv", clone / "their")
    if "predictions" in command.text:
        run(f"snakemake --directory {command.folder} dataset", clone, folder)
        labels = work / "results" / "dataset" / "mv3d" / "labels" / "val"
        for base in (clone, work):
            target = base / "runs" / "obb" / "predict" / "labels"
            shutil.copytree(labels, target, dirs_exist_ok=True)


def complete(command):
    """Return a command as typed: one in a line is meant for the reader's folder."""
    if not command.folder or "--directory" in command.text:
        return command.text
    program, *words = command.text.split(" ", 1)
    return " ".join([program, "--directory", command.folder, *words])


def run(text, clone, folder):
    """Run a command in the clone; print its time, and what it said if it fails."""
    start = time.monotonic()
    done = subprocess.run(
        text.replace("/data/", f"{folder}/data/"),
        shell=True,
        cwd=clone,
        env=os.environ | {"PATH": f"{clone}/.venv/bin:{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    print(f"{time.monotonic() - start:6.1f} s  {text}", flush=True)
    if done.returncode:
        print(done.stdout)
    return done.returncode != 0


if __name__ == "__main__":
    main()
