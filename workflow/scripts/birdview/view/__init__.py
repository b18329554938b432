"""Show images to people: gallery, contact sheets, movies, boxes and charts."""
