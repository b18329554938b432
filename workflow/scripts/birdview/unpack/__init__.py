"""Unpack bags: the point clouds of a topic as scans, and the layout that reads them."""
