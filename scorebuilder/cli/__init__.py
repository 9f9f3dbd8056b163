"""The terminal: one file per command, and what all commands share."""
