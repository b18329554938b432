# Writes which image was made of which scan, by digests, to compare with others'.
#
#   results/<encoding>/<scan>.png  ->  results/manifest.tsv


rule manifest:
    input:
        images,
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
