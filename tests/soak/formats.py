"""Damage scans of each format in all ways, and read them.

    python tests/soak/formats.py [COUNT]

reads COUNT damaged files of each format, 2,000 unless given: cut, with other bytes or
absurd numbers in their headers, without a part, with a part twice, or with the end of
another file. They are made from random points and, if BIRDVIEW_SCANS is set, from the
real files in the folder `formats` beside it. Each file gives points or one line of an
error, within a second and 64 MiB beyond what it is decoded to; otherwise this fails. It
prints for each format how many gave points, the longest time, and the most memory.
"""

import os
import random
import re
import resource
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path

import laspy
import numpy as np

from birdview.benchmark.formats import FORMATS
from birdview.pixels.layout import load_layout
from birdview.pixels.scan import decode_scan

MAX_SECONDS, MAX_MIB = 1.0, 64
REAL = {"pcd": "pcd", "las": "las", "feather": "argoverse2", "csv": "radiate"}
NUMBERS = 0, 1, 255, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 1_000_000_000
HEADER = 600  # bytes: of LAZ, also the sizes of the layers of a chunk


def layered(points):
    """Return a LAZ file whose chunks are in layers."""
    cloud = laspy.LasData(laspy.LasHeader(point_format=7, version="1.4"))
    cloud.x, cloud.y, cloud.z = points[:, :3].T
    cloud.intensity = points[:, 3] * 65535
    file = BytesIO()
    cloud.write(file, do_compress=True)
    return file.getvalue()


def examples(folder):
    """Return the whole files of each format, by its name: a layout and bytes."""
    rng = np.random.default_rng(0)
    found = {}
    for form in FORMATS:
        if form.layout.is_records:
            continue
        for count in (0, 5, 2000):
            points = rng.uniform([-50, -50, -2, 0], [50, 50, 1, 1], (count, 4))
            path = folder / f"{count}{form.layout.suffix}"
            form.write(points.astype("<f4"), path)
            found.setdefault(form.layout.format, []).append(
                (form.layout, path.read_bytes())
            )
            if form.layout.suffix == ".laz":
                found["las"].append((form.layout, layered(points)))
    real = Path(os.environ.get("BIRDVIEW_SCANS", "-")).parent / "formats"
    for kind, name in REAL.items():
        layout = load_layout(name)
        for path in sorted(real.glob(f"*{layout.suffix}")):
            found[kind].append((layout, path.read_bytes()))
    return found


def damage(content, other, chance):
    """Return bytes that differ from those of a file."""
    size = len(content)
    start, stop = sorted(chance.randrange(size + 1) for _ in range(2))
    way = chance.randrange(7)
    if way == 0:
        return content[:stop]
    if way == 1:
        return content[:start] + content[stop:]
    if way == 2:
        return content[:stop] + content[start : start + 1000] + content[stop:]
    if way == 3:
        return content[:start] + other[chance.randrange(len(other) + 1) :]
    damaged = bytearray(content)
    if way == 4:
        for _ in range(chance.randint(1, 8)):
            damaged[chance.randrange(size)] = chance.randrange(256)
    elif way == 5:
        for _ in range(chance.randint(1, 3)):
            # At the beginning or at the end, where archives have their directory.
            place = chance.randrange(min(HEADER, size))
            place = chance.choice((place, size - 1 - place))
            number = chance.choice(NUMBERS).to_bytes(4, "little")
            damaged[place : place + 4] = number
    else:
        numbers = [*re.finditer(rb"\d+", content[:HEADER])]
        if numbers:
            found = chance.choice(numbers)
            more = str(chance.choice(NUMBERS)).encode()
            damaged[found.start() : found.end()] = more
    return bytes(damaged)


def peak_mib():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def read_damaged(files, seed, count):
    """Read damaged files; return how many gave points, seconds and MiB at most."""
    chance = random.Random(seed)
    for layout, content in files:
        with suppress(ValueError):  # not measured; some real files have other fields
            decode_scan(np.frombuffer(content, np.uint8), layout, "a.scan")
    before, good, slowest = peak_mib(), 0, 0.0
    for _ in range(count):
        (layout, content), (_, other) = chance.choice(files), chance.choice(files)
        data = np.frombuffer(damage(content, other, chance), np.uint8)
        start = time.perf_counter()
        try:
            decode_scan(data, layout, "a.scan")
            good += 1
        except ValueError as error:
            message = str(error)
            if not message.startswith("a.scan: ") or "\n" in message:
                raise AssertionError(f"not one line: {message!r}") from error
        slowest = max(slowest, time.perf_counter() - start)
    return good, slowest, peak_mib() - before


def main(count=2000):
    with tempfile.TemporaryDirectory() as folder:
        files = examples(Path(folder))
    for kind, some in files.items():
        # A process of its own: a crash ends it, and memory is measured for each.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            result = process.submit(read_damaged, some, kind, count).result()
        good, slowest, mib = result
        print(
            f"{kind}: {count} files, {good} gave points, {slowest * 1000:.0f} ms and "
            f"{mib:.0f} MiB at most",
            flush=True,
        )
        if slowest > MAX_SECONDS or mib > MAX_MIB:
            raise SystemExit(f"{kind}: more than {MAX_SECONDS} s or {MAX_MIB} MiB")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
