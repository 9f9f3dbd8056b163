"""The figures of the report, one kind per file; each registers itself."""
