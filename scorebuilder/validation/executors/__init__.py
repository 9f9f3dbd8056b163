"""Kinds of executors, one per file, each registering itself."""
