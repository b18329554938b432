# Lays out a page for the browser on which one sees all images.
#
#   results/<encoding>/<scan>.png  ->  results/gallery/index.html
#
# A scan that fails shall be on the page, with its error. So the page does not wait for the
# images as its inputs, which that one never becomes: it waits for all cores, behind all
# other jobs. And it is made each time, for Snakemake does not know what it shows.


rule gallery:
    input:
        images_here,
        grids,
        "results/gallery",


rule lay_out_images:
    output:
        page=directory("results/gallery"),
    log:
        "results/logs/gallery.log",
    priority: -1
    threads: workflow.cores or 1
    params:
        time=time.time_ns(),
    run:
        lay_out_gallery(output.page, threads, log[0])
