# Draws the labelled boxes of one scan on its image.
#
#   <results>/<encoding>/<scan>.png, <labels>/{label_2,calib}/<scan>.txt
#     ->  <results>/<encoding>/boxes/<scan>.png


rule boxes:
    input:
        invalid_names,
        boxed_pictures,


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
        code=code_of("view.boxes"),
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
