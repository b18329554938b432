"""Labels: the boxes of a scan, whatever the format of their files."""
