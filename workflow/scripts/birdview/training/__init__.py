"""What trainers need beside images: splits, labels, statistics."""
