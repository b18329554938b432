# Renders one image of one scan, and says what its pixels mean.
#
#   <scans>/<scan>.bin  ->  results/<encoding>/<scan>.png
#   (an encoding)       ->  results/<encoding>/grid.json
#
# A scan whose name cannot be that of an image is refused by a job that fails.


rule render:
    input:
        scan=scan_file,
    output:
        image="results/{encoding}/{scan}.png",
    log:
        local("results/logs/{encoding}/{scan}.log"),
    wildcard_constraints:
        encoding="|".join(ENCODINGS),
        scan=r"(?!boxes/|(.*/)?\.\./).+",
    params:
        recipe=recipe,
    run:
        render_image(
            input.scan,
            wildcards.scan,
            output.image,
            wildcards.encoding,
            log[0],
        )


rule refuse:
    output:
        "results/refused/{number}",
    log:
        local("results/logs/refused/{number}.log"),
    wildcard_constraints:
        number="[0-9]+",
    run:
        refuse(int(wildcards.number), log[0])


rule grid:
    output:
        json="results/{encoding}/grid.json",
    log:
        local("results/logs/{encoding}/grid.json.log"),
    wildcard_constraints:
        encoding="|".join(ENCODINGS),
    params:
        encoding=digest_of_encoding,
        code=digest_code(["channel", "encoding", "grid", "legend"]),
    run:
        write_legend(wildcards.encoding, output.json)
