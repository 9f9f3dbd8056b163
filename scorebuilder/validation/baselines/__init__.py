"""One established score per file, each registering itself in `BASELINES`."""

from scorebuilder.validation.baseline import BASELINES

__all__ = ["BASELINES"]
