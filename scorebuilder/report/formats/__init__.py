"""Formats in which a report can be written, one in each file."""
