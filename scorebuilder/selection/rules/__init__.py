"""Rules that decide which variables stay, one per file."""
