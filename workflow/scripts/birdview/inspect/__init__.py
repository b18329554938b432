"""Say what files are, and which settings render them right."""
