# Renders one image of one scan.
#
#   <scans>/<scan>.bin  ->  results/<encoding>/<scan>.png


rule render:
    input:
        scan=scan_file,
    output:
        image="results/{encoding}/{scan}.png",
    log:
        "results/logs/{encoding}/{scan}.log",
    wildcard_constraints:
        encoding="|".join(ENCODINGS),
    params:
        recipe=recipe,
    run:
        render_image(input.scan, output.image, wildcards.encoding)
