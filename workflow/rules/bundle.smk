# Packs what a colleague needs to repeat the run, and to verify the result.
#
#   the workflow, its settings, <run>/manifest.tsv  ->  <run>/birdview-<digest>.zip


rule bundle:
    input:
        bundle_of_manifest,


rule write_bundle:
    input:
        manifest="<run>/manifest.tsv",
    output:
        archive="<run>/birdview-{digest}.zip",
    log:
        "<run>/logs/birdview-{digest}.log",
    run:
        run_job(log[0], jobs.write_bundle, RUN, input.manifest, output.archive)
