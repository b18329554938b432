# Makes a data set to train on: images, and the labelled boxes in their pixels or masks.
#
#   <results>/<encoding>/<scan>.png, the labels, <results>/<encoding of masks>/<scan>.png
#     ->  <run>/dataset/<encoding>/{images,labels,masks}/<split>/<scan>.*, boxes.json, ...


rule dataset:
    input:
        invalid_names,
        datasets,


rule write_dataset:
    input:
        images_of_dataset,
    output:
        index="<run>/dataset/{encoding}/boxes.json",
    log:
        "<run>/logs/dataset/{encoding}.log",
    threads: all_cores
    params:
        code=code_of("dataset"),
        sources=lambda wildcards: sources_of_datasets(),
    run:
        run_job(
            log[0],
            jobs.write_dataset,
            RUN,
            wildcards.encoding,
            output.index,
            threads,
        )
