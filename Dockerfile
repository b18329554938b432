# The environment of README.md in a container, set up by README's first command. The demo that
# it renders leaves the compiled kernels in the container's image.
#
#   docker build --tag birdview .
#   docker run --rm --user "$(id -u):$(id -g)" \
#       --volume /data/kitti/training/velodyne:/scans:ro --volume "$PWD:/data" \
#       birdview --cores 8 --config scans=/scans
FROM debian:bookworm-slim

RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates python3-venv \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /birdview
COPY . .
RUN python3 -m venv .venv && .venv/bin/pip install -r envs/requirements.txt && .venv/bin/snakemake --cores 2

# Snakemake needs both, also for the number of a user that the container does not know.
ENV HOME=/tmp USER=birdview

WORKDIR /data
ENTRYPOINT ["/birdview/.venv/bin/snakemake", "--snakefile", "/birdview/Snakefile"]
