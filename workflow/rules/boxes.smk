# Draws the labelled boxes of one scan on its image, as the polygons that a data set has; or
# of all scans of a batch.
#
#   <results>/<encoding>/<scan>.png, the scan's labels, in any format that is read
#     ->  <results>/<encoding>/boxes/<scan>.png


rule boxes:
    input:
        invalid_names,
        boxed_pictures,
        grids,


rule draw_boxes:
    input:
        image="<results>/{encoding}/{scan}.png",
        labels=label_inputs,
    output:
        picture="<results>/{encoding}/boxes/{scan}.png",
    log:
        "<results>/logs/{encoding}/boxes/{scan}.log",
    localrule: True
    params:
        code=code_of("view.boxes", "training.labels.source"),
        origin=RUN.labels and RUN.labels.origin,
        classes=lambda wildcards: jobs.describe_classes(RUN, wildcards.encoding),
    run:
        run_job(
            log[0],
            jobs.draw_boxes,
            RUN,
            input.image,
            wildcards.scan,
            wildcards.encoding,
            output.picture,
        )


rule draw_boxes_of_batch:
    input:
        images=finished_batch,
        labels=labels_of_batch,
    output:
        mark="<run>/.birdview/boxes/{batch}",
    log:
        "<run>/logs/boxes/{batch}.log",
    params:
        code=code_of("view.boxes", "training.labels.source"),
        origin=RUN.labels and RUN.labels.origin,
        classes=lambda wildcards: [
            jobs.describe_classes(RUN, encoding) for encoding in RUN.encodings
        ],
    run:
        run_job(log[0], jobs.draw_boxes_of_batch, RUN, wildcards.batch, output.mark)
