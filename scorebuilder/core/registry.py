"""A registry that fills itself: each file of a plural folder registers what it defines."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

T = TypeVar("T")


class Registry(Mapping[str, T], Generic[T]):
    """
    Named things of one kind, found by walking the package that holds them.

    Parameters
    ----------
    kind : str
        What is registered, in the singular, for messages.
    package : str
        Dotted name of the plural folder; its modules are imported at the first look-up.
    """

    def __init__(self, kind: str, package: str) -> None:
        self.kind = kind
        self.package = package
        self._items: dict[str, T] = {}
        self._loaded = False

    def register(self, name: str, item: T) -> T:
        """
        Add `item` under `name` and return it.

        Parameters
        ----------
        name : str
            Unique within the registry.
        item : object
            What is registered.

        Returns
        -------
        object
            `item` itself.
        """
        if name in self._items:
            message = f"{self.kind} `{name}` is registered twice"
            raise ValueError(message)
        self._items[name] = item
        return item

    def _load(self) -> None:
        if self._loaded:
            return
        self._loaded = True
        package = importlib.import_module(self.package)
        for module in sorted(info.name for info in pkgutil.iter_modules(package.__path__)):
            importlib.import_module(f"{self.package}.{module}")

    def __getitem__(self, name: str) -> T:
        self._load()
        try:
            return self._items[name]
        except KeyError:
            known = ", ".join(sorted(self._items))
            message = f"unknown {self.kind} `{name}`; known: {known}"
            raise KeyError(message) from None

    def __iter__(self) -> Iterator[str]:
        self._load()
        return iter(sorted(self._items))

    def __len__(self) -> int:
        self._load()
        return len(self._items)
