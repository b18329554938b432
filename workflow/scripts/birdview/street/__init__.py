"""The demo's street: its ground, what stands on it, and how rays hit that."""
