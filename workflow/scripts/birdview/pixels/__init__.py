"""Everything that decides a pixel, and nothing else.

An edit to any file in this folder makes every image stale. So nothing here may import
anything else of birdview but `files`, `counts`, `provenance` and `paths`.
"""
