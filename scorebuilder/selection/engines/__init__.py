"""Engines that grow survival trees, one per file."""
