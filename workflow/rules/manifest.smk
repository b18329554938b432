# Lists which image was made from which scan, by digests, and compares with others' lists.
#
#   <results>/<encoding>/<scan>.png, <run>/dataset/<encoding>/ if there are any
#                                    ->  <run>/manifest.tsv
#   the same, and the scans          ->  <run>/verify.tsv, and the exit status
#
# verify has no inputs, or Snakemake would first render what is missing, and no outputs: so
# it runs every time, and keeps its table when something differs. Its input function only
# checks the manifest to compare with, before the work of minutes.


checkpoint manifest:
    input:
        local_images,
        datasets_if_any,
    output:
        table="<run>/manifest.tsv",
    log:
        "<run>/logs/manifest.log",
    threads: all_cores
    params:
        code=code_of("reproduce.manifest", "inflate"),
        lock=digest_lock(),
    run:
        run_job(log[0], jobs.write_manifest, RUN, output.table, threads)


rule verify:
    input:
        nothing_to_compare,
    log:
        "<run>/logs/verify.log",
    threads: all_cores
    run:
        run_job(log[0], jobs.verify_images, RUN, threads)
