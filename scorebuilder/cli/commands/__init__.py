"""Commands by name; each file registers the one that it defines and imports rooms when called."""

from __future__ import annotations

from collections.abc import Callable

from scorebuilder.core.registry import Registry

COMMANDS: Registry[Callable[..., None]] = Registry("command", __name__)
