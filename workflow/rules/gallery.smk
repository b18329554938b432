# Writes a page for the browser that shows all images, with the boxes of data sets.
#
#   <results>/<encoding>/<scan>.png, <run>/dataset/<encoding>/boxes.json if it exists
#     ->  <run>/gallery/index.html
#
# Failed scans are shown with their error, so the images cannot be inputs; nor can data
# sets, which are not made if a scan fails. The job asks for all cores at the lowest
# priority instead, and so runs last. And it runs every time, because Snakemake does not
# know what it shows.
import time


rule gallery:
    input:
        local_images,
        grids,
        "<run>/gallery",


rule render_gallery:
    output:
        page=directory("<run>/gallery"),
    log:
        "<run>/logs/gallery.log",
    priority: -1
    threads: all_cores
    params:
        time=time.time_ns(),
    run:
        run_job(log[0], jobs.write_gallery, RUN, output.page, threads)
