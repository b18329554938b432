# What the rules share: the settings, checked; the encodings; where the scans are.
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

sys.path.insert(0, str(Path(workflow.basedir) / "workflow" / "scripts"))

from birdview.dataset import find_scans, name_scans
from birdview.encoding import load_encoding
from birdview.provenance import digest_code
from birdview.schema import conform

try:
    config = conform(config, "config", "config")
    ENCODINGS = {name: load_encoding(name) for name in config["encodings"]}
    if config["scans"] is None:
        FOLDER = "results/demo"
        SCANS = name_scans(config["demo"]["scans"])
    else:
        FOLDER = config["scans"]
        SCANS = find_scans(FOLDER)
except (OSError, ValueError) as error:
    raise WorkflowError(str(error)) from None

# All that decides an image besides the bytes of its scan. As one parameter of the rule:
# Snakemake would not notice it if two parameters swapped their values.
RECIPES = {
    name: {
        "encoding": encoding.digest,
        "layout": config["layout"],
        "code": digest_code(),
    }
    for name, encoding in ENCODINGS.items()
}


def scan_file(wildcards):
    return f"{FOLDER}/{wildcards.scan}.bin"


def images(wildcards):
    return expand("results/{encoding}/{scan}.png", encoding=ENCODINGS, scan=SCANS)


# What the rules call is imported when it runs: Snakemake starts sooner without it.


def render_image(scan, image, encoding):
    from birdview.render import render

    try:
        render(scan, image, ENCODINGS[encoding], config["layout"])
    except (OSError, ValueError) as error:
        raise WorkflowError(str(error)) from None


def simulate_scan(number, scan):
    from birdview.demo import write_scan

    write_scan(scan, int(number), config["demo"]["seed"])
