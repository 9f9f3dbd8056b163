"""One metric per file, each registering itself in `METRICS`."""
