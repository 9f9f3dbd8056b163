"""The one decorator of compiled kernels: numba, cached on disk, no fast-math."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
from numba.core.registry import CPUDispatcher

F = TypeVar("F", bound=Callable[..., object])


def kernel(function: F) -> F:
    """
    Compile a function of NumPy arrays at its first call.

    Parameters
    ----------
    function : callable
        Uses only what numba supports; floating-point operations keep their order, so that results
        are the same on every run.

    Returns
    -------
    callable
        The compiled function, with the signature of `function`.

    Notes
    -----
    Inner loops index with `numpy.uintp`: for signed numbers numba adds a test whether each index
    counts from the end, which can take half of the time.

    Compiled code holds the code of the kernels it calls and the constants it reads, but numba
    compiles anew only if the file of the function itself has changed. Here it does also if a file
    with a kernel of the module's namespace has, or a constant.
    """
    compiled = numba.njit(cache=True, fastmath=False, nogil=True)(function)
    stored = compiled._cache._cache_file
    parts = [
        (name, _stamp(value))
        for name, value in function.__globals__.items()
        if isinstance(value, CPUDispatcher | bool | int | float | str | tuple)
        and not name.startswith("__")
    ]
    whole = repr((stored._source_stamp, sorted(parts)))
    stored._source_stamp = hashlib.sha256(whole.encode()).hexdigest()
    return cast("F", compiled)


def _stamp(value: Any) -> str:
    """Return what changes if a kernel, or a constant, does."""
    return repr(value._cache._cache_file._source_stamp if hasattr(value, "_cache") else value)


def announce_compilation(function: Any, what: str) -> bool:
    """
    Say so, through the logger ``scorebuilder``, if a kernel must still be compiled.

    Parameters
    ----------
    function : callable
        A kernel.
    what : str
        What it is part of, and how long that takes: ``"the survival forest (about 15 s)"``.

    Returns
    -------
    bool
        True if neither this process nor the cache on disk holds compiled code of the kernel as it
        is now.
    """
    cold = not function.signatures and not function._cache._cache_file._load_index()
    if cold:
        logging.getLogger("scorebuilder").info("compiling %s, once on this machine", what)
    return cold
