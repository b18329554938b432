"""Measure how fast birdview is, compared with other implementations."""
