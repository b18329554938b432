"""Runs Snakemake many times, and imports it once.

Of the CPU time of a run that renders a few small scans, two thirds go into loading
Snakemake, its plugins and Numba. Here, that is done once: each run is a fork, which
does what `python -m snakemake` does. Runs are read from the input, one line of JSON
each, and answered with a line each, the exit status.
"""

import gc
import importlib
import json
import os
import runpy
import signal
import sys

# What Snakemake loads when it runs birdview. Nothing of birdview: each run has its own.
MODULES = ("snakemake.cli", "snakemake.dag", "snakemake.scheduling.job_scheduler")
MODULES += ("jsonschema", "numba", "numpy", "yaml", "yte")


def main():
    """Answer until the input ends; in a fork, become Snakemake."""
    for name in MODULES:
        importlib.import_module(name)
    sys.modules["snakemake.cli"].get_argument_parser()  # loads plugins
    sys.modules["numba"].njit(lambda: None)()  # loads LLVM
    gc.freeze()  # or each fork's collector would touch, and so copy, all of it
    for line in sys.stdin.buffer:
        run = json.loads(line)
        child = os.fork()
        if not child:
            become_snakemake(**run)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def become_snakemake(arguments, folder, output):
    """Run Snakemake in a folder, with its output in a file, and end this process."""
    signal.alarm(600)  # ends a run that hangs
    os.setsid()
    os.chdir(folder)
    with open(os.devnull) as nothing, open(output, "wb") as file:
        os.dup2(nothing.fileno(), 0)
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.path[0], sys.argv = folder, ["snakemake", *arguments]
    runpy.run_module("snakemake", run_name="__main__", alter_sys=True)
    sys.exit()


if __name__ == "__main__":
    main()
