# birdview: one bird's-eye-view PNG for every LiDAR scan of a data set.
#
#   scans/<scan>.bin  ->  results/<encoding>/<scan>.png
#
# where <scan> may have sub-folders, and <encoding> is the name of a file of
# workflow/encodings/, or of your own. Other targets: parts, boxes,
# gallery, contact_sheet, movie, counts, manifest, verify, bundle, benchmark, benchmark_scale.
from pathlib import Path

from snakemake.utils import min_version

min_version("9.27")


configfile: Path(workflow.basedir) / "config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/demo.smk"
include: "workflow/rules/render.smk"
include: "workflow/rules/parts.smk"
include: "workflow/rules/boxes.smk"
include: "workflow/rules/gallery.smk"
include: "workflow/rules/pictures.smk"
include: "workflow/rules/manifest.smk"
include: "workflow/rules/bundle.smk"
include: "workflow/rules/benchmark.smk"


rule all:
    default_target: True
    input:
        images_or_parts,
        grids,
        pictures_of_report,
