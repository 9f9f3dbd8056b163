"""Catalogues of the report's own words, one file for each language."""
