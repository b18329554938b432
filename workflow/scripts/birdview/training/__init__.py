"""What trainers need beside images: labels, splits and statistics."""
