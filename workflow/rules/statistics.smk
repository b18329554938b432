# Computes mean, deviation and histogram of each plane, over the images of each split.
#
#   <results>/<encoding>/<scan>.png  ->  <run>/statistics/<encoding>.json


rule statistics:
    input:
        invalid_names,
        expand("<run>/statistics/{encoding}.json", encoding=RUN.encodings),


rule compute_statistics:
    input:
        images_in_splits,
    output:
        table="<run>/statistics/{encoding}.json",
    log:
        "<run>/logs/statistics/{encoding}.log",
    threads: all_cores
    params:
        splits=lambda wildcards: jobs.digest_splits(RUN, wildcards.encoding),
        code=code_of("training.statistics", "inflate"),
    run:
        run_job(
            log[0],
            jobs.write_statistics,
            RUN,
            wildcards.encoding,
            output.table,
            threads,
        )
