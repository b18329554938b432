"""What trainers need beside images: labels, splits, data sets and statistics."""
