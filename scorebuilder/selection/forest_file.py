"""A forest in one file that holds arrays and JSON, and no code."""

from __future__ import annotations

import json
import os
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from scorebuilder.core.errors import ModelError
from scorebuilder.selection.binning import Binning, ColumnBins
from scorebuilder.selection.forest_soundness import check_soundness
from scorebuilder.selection.leaves import LeafJumps
from scorebuilder.selection.trees import TreeArrays

Forest = TypeVar("Forest")

FORMAT = "scorebuilder-survival-forest/1"


def write_forest(forest: Any, path: Path) -> None:
    """
    Write a fitted forest.

    Parameters
    ----------
    forest : SurvivalForest
        Fitted.
    path : Path
        Of the file; it is written aside and moved into place.
    """
    binning = forest.binning_
    settings = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in forest.get_params().items()
        if name != "n_jobs"
    }
    head = {
        "format": FORMAT,
        "settings": settings,
        "incidence": forest.incidence_,
        "oob_c_index": forest.oob_c_index_ if np.isfinite(forest.oob_c_index_) else None,
        "columns": list(binning.names),
        "levels": [None if c.levels is None else list(c.levels) for c in binning.columns],
        "codes": {"type": binning.dtype.name, "single_precision": binning.single_precision},
    }
    arrays = {f"trees_{name}": value for name, value in vars(forest.trees_).items()}
    arrays |= {f"leaves_{name}": value for name, value in vars(forest.leaves_).items()}
    arrays |= {f"thresholds_{i}": c.thresholds for i, c in enumerate(binning.columns)}
    text = json.dumps(head, sort_keys=True, allow_nan=False, default=_plain).encode()
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".npz")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez_compressed(
                file, head=np.frombuffer(text, dtype=np.uint8), times=forest.times_, **arrays
            )
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def read_forest(kind: type[Forest], path: Path) -> Forest:
    """
    Read a forest.

    Parameters
    ----------
    kind : type
        `SurvivalForest`.
    path : Path
        Written by `write_forest`.

    Returns
    -------
    SurvivalForest
        Fitted, without development patients.

    Raises
    ------
    ModelError
        If the file is not that of a forest, is of another version of the format, or is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        head: dict[str, Any] = json.loads(arrays["head"].tobytes())
        found = head["format"]
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, TypeError, ValueError) as error:
        message = f"`{path.name}` is not the file of a survival forest"
        raise ModelError(message) from error
    if found != FORMAT:
        message = f"`{path.name}` has the format {found}; this version reads {FORMAT}"
        raise ModelError(message)
    try:
        return _forest(kind, head, arrays)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        message = f"`{path.name}` is damaged: {error}"
        raise ModelError(message) from error


def _forest(kind: type[Forest], head: dict[str, Any], arrays: dict[str, Any]) -> Forest:
    """Put a forest together; errors of any kind mean that the file is damaged."""
    settings = {k: tuple(v) if isinstance(v, list) else v for k, v in head["settings"].items()}
    forest: Any = kind(**settings)
    forest.times_ = arrays["times"]
    forest.incidence_ = head["incidence"]
    forest.oob_c_index_ = np.nan if head["oob_c_index"] is None else head["oob_c_index"]
    forest.trees_ = TreeArrays(**_of("trees_", arrays))
    forest.leaves_ = LeafJumps(**_of("leaves_", arrays))
    columns = tuple(
        ColumnBins(arrays[f"thresholds_{i}"], None if levels is None else tuple(levels))
        for i, levels in enumerate(head["levels"])
    )
    forest.binning_ = Binning(
        tuple(head["columns"]),
        columns,
        np.dtype(head["codes"]["type"]),
        head["codes"]["single_precision"],
    )
    check_soundness(forest.times_, forest.trees_, forest.leaves_, forest.binning_)
    forest.feature_names_in_ = np.array(head["columns"], dtype=object)
    forest.n_features_in_ = len(head["columns"])
    read: Forest = forest
    return read


def _plain(value: Any) -> Any:
    """Turn a setting that is a NumPy number, or any sequence, into one of Python."""
    return value.item() if isinstance(value, np.generic) else list(value)


def _of(prefix: str, arrays: dict[str, Any]) -> dict[str, Any]:
    """Arrays whose name begins with a word, without it."""
    return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
