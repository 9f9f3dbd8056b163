"""Random numbers that depend on what is computed, never on the order or number of workers."""

from __future__ import annotations

import zlib
from numbers import Integral
from typing import Any

import numpy as np


def check_seed(random_state: Any) -> int:
    """
    Refuse what is no seed.

    Parameters
    ----------
    random_state : int
        Whole number, of Python or NumPy, >= 0.

    Returns
    -------
    int
        The same.

    Raises
    ------
    ValueError
        If it is anything else, such as None.
    """
    if not isinstance(random_state, Integral) or int(random_state) < 0:
        message = (
            "`random_state` must be a whole number of at least 0, on which every result depends; "
            f"got {random_state!r}"
        )
        raise ValueError(message)
    return int(random_state)


def generator(random_state: int, *key: int | str) -> np.random.Generator:
    """
    Return the random generator of one piece of work.

    Parameters
    ----------
    random_state : int
        Seed of the whole computation, >= 0.
    *key : int or str
        What the piece is, for example ``("fold", 2, 7)``; other keys give independent streams.

    Returns
    -------
    numpy.random.Generator
        The same for the same seed and key, on every machine.

    Raises
    ------
    ValueError
        If the seed is none.
    """
    seed = check_seed(random_state)
    words = [zlib.crc32(part.encode()) if isinstance(part, str) else int(part) for part in key]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=words)))


def seed_of(random_state: int, *key: int | str) -> int:
    """
    Return a 31-bit seed for a library that wants an integer.

    Parameters
    ----------
    random_state : int
        Seed of the whole computation, >= 0.
    *key : int or str
        What the piece is.

    Returns
    -------
    int
        In [0, 2**31 - 1).
    """
    return int(generator(random_state, *key).integers(2**31 - 1))
