"""One SQL dialect per file, each registering itself in `DIALECTS`."""
