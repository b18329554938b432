# Writes which image was made of which scan, by digests, and compares with others'.
#
#   results/<encoding>/<scan>.png  ->  results/manifest.tsv
#   the same, and the scans        ->  results/verify.tsv, and the exit status
#
# To verify has no inputs, or Snakemake would first make what is missing, and no outputs:
# so it is done each time, and its table stays when something differs.


checkpoint manifest:
    input:
        images_here,
    output:
        table="results/manifest.tsv",
    log:
        "results/logs/manifest.log",
    threads: workflow.cores or 1
    params:
        recipes=[RECIPES[name] for name in sorted(RECIPES)],
        code=digest_code(["image", "inflate", "manifest"]),
        lock=digest_lock(),
    run:
        list_images(output.table, threads, log[0])


rule verify:
    log:
        "results/logs/verify.log",
    threads: workflow.cores or 1
    run:
        verify_images(threads, log[0])
