"""Readers of files that say themselves what they hold: a module for each format.

Each has two functions. `read` returns wanted columns of bytes as arrays, `list_columns`
the names of those that it can return. Which columns a file has, and what is in them, is
all that a reader decides.
"""
