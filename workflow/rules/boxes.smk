# Draws the labelled boxes of one scan on its image.
#
#   results/<encoding>/<scan>.png, <labels>/{label_2,calib}/<scan>.txt
#     ->  results/<encoding>/boxes/<scan>.png


rule boxes:
    input:
        refused,
        pictures_with_boxes,


rule draw_boxes:
    input:
        image="results/{encoding}/{scan}.png",
        labels=found_label_files,
    output:
        picture="results/{encoding}/boxes/{scan}.png",
    log:
        "results/logs/{encoding}/boxes/{scan}.log",
    wildcard_constraints:
        encoding="|".join(ENCODINGS),
    params:
        code=digest_code(["boxes", "grid", "image"]),
    run:
        outline(input.image, wildcards.scan, wildcards.encoding, output.picture, log[0])
