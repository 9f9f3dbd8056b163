"""One contrast of two predictions per file, each registering itself in `CONTRASTS`."""
