"""Names for the array types that signatures use."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]
BoolArray: TypeAlias = NDArray[np.bool_]
Outcome: TypeAlias = NDArray[Any]
"""Structured array of shape (n_patients,) with fields ``event`` (bool) and ``time`` (float)."""
