"""One target language per file; each registers itself in `TARGETS`."""
