# Writes the point clouds of a topic of a bag as scans, with the layout that reads them.
#
#   the bag  ->  <results>/unpack/<bag>/<topic>/<stamp>.bin, and <topic>.yaml
#
# Which messages are stale is found out inside, so it has no inputs and no outputs, and runs
# every time: a bag has more messages than anyone knows before it is read.


rule unpack:
    log:
        "<results>/logs/unpack.log",
    localrule: True
    run:
        run_job(log[0], jobs.unpack_bag, RUN, BATCHES)
