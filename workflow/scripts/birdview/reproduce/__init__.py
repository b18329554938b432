"""Prove that images are the same: manifests, verification, bundles."""
