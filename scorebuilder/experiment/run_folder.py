"""The run folder: built beside its final place, renamed when whole, never overwritten."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from scorebuilder.core.canonical import sha256
from scorebuilder.core.errors import SpecError
from scorebuilder.score.store import write_bytes, write_text

CHECKSUMS = "SHA256SUMS"


class RunFolder:
    """
    Where one version of a score is written.

    Parameters
    ----------
    root : Path
        For example ``reports``.
    name, version : str
        Of the score; the run ends in ``root/name/version``.
    key : str
        Fingerprint of everything that decides the result (spec, data, code).
    """

    def __init__(self, root: Path, name: str, version: str, *, key: str) -> None:
        self.final = root / name / version
        self.work = root / name / f".{version}.unfinished"
        self.key = key

    def finished(self) -> bool:
        """
        Tell whether this very run is there already.

        Returns
        -------
        bool
            True if the folder is complete and came from the same key.

        Raises
        ------
        SpecError
            If the folder holds another run: a finished run is never overwritten.
        """
        if not self.final.exists():
            return False
        try:
            run = json.loads((self.final / "run.json").read_text(encoding="utf-8"))
        except (FileNotFoundError, json.JSONDecodeError):
            run = {}
        if run.get("key") != self.key:
            message = (
                f"{self.final} holds a finished run of another spec, other data or other code, and "
                "is never overwritten; raise `version`, or choose another folder with --out"
            )
            raise SpecError(message)
        return True

    def open(self) -> None:
        """Make the work folder; what a stopped run of the same key left there is kept."""
        mark = self.work / "key"
        if self.work.exists() and not (mark.exists() and mark.read_text() == self.key):
            shutil.rmtree(self.work)
        write_text(mark, self.key)

    def close(self) -> None:
        """Drop the scratch files, write the checksums, and rename to the final place."""
        shutil.rmtree(self.work / "folds", ignore_errors=True)
        (self.work / "key").unlink()
        files = sorted(path for path in self.work.rglob("*") if path.is_file())
        sums = [
            f"{sha256(path.read_bytes())}  {path.relative_to(self.work).as_posix()}\n"
            for path in files
        ]
        write_text(self.work / CHECKSUMS, "".join(sums))
        self.work.rename(self.final)


class FoldCache:
    """
    Finished folds of a stopped run: out-of-fold predictions by row number, for the time of the run.

    Parameters
    ----------
    folder : Path
        Scratch folder inside the work folder; removed when the run ends.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _path(self, repeat: int, fold: int) -> Path:
        return self.folder / f"{repeat:03d}-{fold:03d}.json"

    def get(self, repeat: int, fold: int) -> dict[str, Any] | None:
        """
        Return a finished fold.

        Parameters
        ----------
        repeat, fold : int
            Which one.

        Returns
        -------
        dict or None
            What `put` stored, arrays included.
        """
        path = self._path(repeat, fold)
        if not path.exists():
            return None
        stored = json.loads(path.read_text(encoding="utf-8"))
        arrays = {name: np.asarray(values) for name, values in stored["arrays"].items()}
        return {**stored["plain"], **arrays}

    def put(self, repeat: int, fold: int, result: dict[str, Any]) -> None:
        """
        Store a finished fold.

        Parameters
        ----------
        repeat, fold : int
            Which one.
        result : dict
            Arrays and plain values; floats are stored so that they read back exactly.
        """
        arrays = {
            name: value.tolist() for name, value in result.items() if isinstance(value, np.ndarray)
        }
        plain = {name: value for name, value in result.items() if name not in arrays}
        text = json.dumps({"arrays": arrays, "plain": plain})
        write_bytes(self._path(repeat, fold), text.encode())
