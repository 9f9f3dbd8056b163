"""The one decorator of compiled kernels: numba, cached on disk, no fast-math."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from enum import Enum
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numba.core.registry import CPUDispatcher

CONSTANTS = (bool, int, float, complex, str, tuple, Enum, np.generic, np.ndarray)
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
    with a kernel that the module has imported has, or a constant; so a kernel reads constants and
    kernels by their own names, imported above it, never as attributes of a module.
    """
    compiled = numba.njit(cache=True, fastmath=False, nogil=True)(function)
    stored = _stored(compiled)
    if stored is not None:
        parts = [
            (name, _stamp(value))
            for name, value in function.__globals__.items()
            if isinstance(value, (CPUDispatcher, *CONSTANTS))
            and not (name.startswith("__") and name.endswith("__"))
        ]
        whole = repr((stored._source_stamp, sorted(parts)))
        stored._source_stamp = hashlib.sha256(whole.encode()).hexdigest()
    return cast("F", compiled)


def _stored(compiled: Any) -> Any:
    """Return the compiled code on disk; None without any, as under NUMBA_DISABLE_JIT."""
    return getattr(getattr(compiled, "_cache", None), "_cache_file", None)


def _stamp(value: Any) -> str:
    """Return what changes if a kernel, or a constant, does."""
    if isinstance(value, CPUDispatcher):
        return repr(getattr(_stored(value), "_source_stamp", None))
    if isinstance(value, tuple):
        return repr([_stamp(part) for part in value])
    if isinstance(value, np.ndarray):
        return repr((value.dtype.str, value.shape, value.tobytes()))
    return repr(value)


def announce_compilation(function: Any, what: str) -> bool:
    """
    Say so, through the logger ``scorebuilder``, if a kernel must still be compiled.

    Parameters
    ----------
    function : callable
        A kernel.
    what : str
        What it is part of, and how long that takes: ``"the survival forest (about 20 s)"``.

    Returns
    -------
    bool
        True if neither this process nor the cache on disk holds compiled code of the kernel as it
        is now.
    """
    stored = _stored(function)
    cold = stored is not None and not function.signatures and not stored._load_index()
    if cold:
        logging.getLogger("scorebuilder").warning("compiling %s, once on this machine", what)
    return cold
