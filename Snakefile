# birdview: scans/<scan>.bin -> results/<encoding>/<scan>.png, where <encoding> is the name of
# a file in workflow/encodings/, or of your own. Other targets: parts, boxes, gallery,
# contact_sheet, movie, counts, report, manifest, verify, bundle, benchmark, benchmark_scale.
from snakemake.utils import min_version

min_version("9.27")


configfile: f"{workflow.basedir}/config.yaml"


include: "workflow/rules/common.smk"


# Before the rules: for outputs in object storage, later ones do not count.
wildcard_constraints:
    encoding="|".join(RUN.encodings),
    scan=r"(?!boxes/|(.*/)?\.\./).+",
    number="[0-9]+",
    part="[0-9]+",
    digest="[0-9a-f]{12}",


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
