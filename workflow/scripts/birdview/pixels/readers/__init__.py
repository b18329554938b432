"""Readers of files that say themselves what they hold: a module for each format.

Each has a function `read`: bytes and wanted columns to arrays. Which columns a file
has, and what is in them, is all that it decides.
"""
