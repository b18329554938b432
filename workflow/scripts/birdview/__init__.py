"""Bird's-eye-view images of LiDAR scans: points to pixels to PNG."""

__version__ = "0.1.0"
__date__ = "2026-11-25"


def __getattr__(name):
    # Not imported before it is asked for: Snakemake starts sooner without OpenCV.
    if name == "load":
        from birdview.image import load

        return load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
