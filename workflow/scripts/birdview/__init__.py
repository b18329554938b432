"""Bird's-eye-view images of LiDAR scans: points to pixels to PNG."""

__version__ = "0.1.0"
