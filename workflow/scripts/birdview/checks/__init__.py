"""Judge what a run has made: images that may be wrong, and its summary."""
