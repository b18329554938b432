# Writes predictions as results for KITTI's evaluation. The data set is no input: one that is
# rendered again because settings differ would not be that of the predictions.
#
#   <predictions>/<scan>.txt, <run>/dataset/<encoding>/boxes.json
#     ->  <run>/kitti_results/<encoding>/<scan>.txt, <run>/kitti_results/<encoding>.tsv


rule kitti_results:
    input:
        table_of_results,


rule write_kitti_results:
    output:
        table="<run>/kitti_results/{encoding}.tsv",
    log:
        "<run>/logs/kitti_results/{encoding}.log",
    threads: all_cores
    params:
        code=code_of("kitti_results"),
        sources=lambda wildcards: sources_of_results(wildcards.encoding),
    run:
        run_job(
            log[0],
            jobs.write_kitti_results,
            RUN,
            wildcards.encoding,
            output.table,
            threads,
        )
