"""Collects statistical warnings, so that they become part of a result instead of passing by."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from scorebuilder.core.errors import StatisticalWarning


@contextmanager
def collected_doubts() -> Iterator[list[str]]:
    """
    Gather the texts of statistical warnings; any other warning is passed on.

    Yields
    ------
    list of str
        Filled when the block ends, each text once.
    """
    texts: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", StatisticalWarning)
        yield texts
    for warning in caught:
        if not issubclass(warning.category, StatisticalWarning):
            warnings.warn_explicit(
                warning.message, warning.category, warning.filename, warning.lineno
            )
        elif str(warning.message) not in texts:
            texts.append(str(warning.message))
