"""The one decorator of compiled kernels: numba, cached on disk, no fast-math."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

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
    """
    return cast("F", numba.njit(cache=True, fastmath=False, nogil=True)(function))


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
        True if neither this process nor the cache on disk holds compiled code of the kernel.
    """
    folder = Path(function._cache.cache_path)
    pattern = f"*{function.py_func.__name__}-*.nbi"
    cold = not function.signatures and not any(folder.glob(pattern))
    if cold:
        logging.getLogger("scorebuilder").info("compiling %s, once on this machine", what)
    return cold
