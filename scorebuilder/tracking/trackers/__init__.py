"""Trackers by name; each file registers the one that it defines."""

from __future__ import annotations

from collections.abc import Callable

from scorebuilder.core.registry import Registry
from scorebuilder.tracking.tracker import Tracker

TRACKERS: Registry[Callable[..., Tracker]] = Registry("tracker", __name__)
"""Call an entry with the address of its store and, where one is needed, a folder for its files."""
