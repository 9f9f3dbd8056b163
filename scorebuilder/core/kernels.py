"""The one decorator of compiled kernels: numba, cached on disk, no fast-math."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

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
    """
    return cast("F", numba.njit(cache=True, fastmath=False, nogil=True)(function))
