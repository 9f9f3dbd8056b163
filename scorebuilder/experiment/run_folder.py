"""The run folder: built beside its final place, renamed when whole, never overwritten."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import quote

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
        self._lock = _Lock(root / name / f".{version}.lock")

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
            If the folder holds another run, which is never overwritten, or no finished run at all.
        """
        if not self.final.exists():
            return False
        try:
            run = json.loads((self.final / "run.json").read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError, ValueError):
            run = None
        if not isinstance(run, dict):
            message = (
                f"{self.final} exists, but is not a finished run: it holds no readable run.json; "
                "remove it, raise `version`, or choose another folder with --out"
            )
            raise SpecError(message)
        if run.get("key") != self.key:
            message = (
                f"{self.final} holds a finished run of another spec, other data or other code, and "
                "is never overwritten; raise `version`, or choose another folder with --out"
            )
            raise SpecError(message)
        return True

    def open(self) -> None:
        """
        Make the work folder; what a stopped run of the same key left there is kept.

        From here to `close` or `release` no other run can open the same version.

        Raises
        ------
        SpecError
            If another run of this version is in progress, or finished since `finished` was asked.
        """
        self._lock.take(self.final)
        try:
            self._prepare()
        except BaseException:
            self.release()
            raise

    def _prepare(self) -> None:
        if self.finished():
            message = f"{self.final} was finished by another run just now; start again to use it"
            raise SpecError(message)
        if self.work.exists() and not self._is_own():
            shutil.rmtree(self.work)
        write_text(self.work / "key", self.key)

    def _is_own(self) -> bool:
        mark = self.work / "key"
        return mark.is_file() and mark.read_text(encoding="utf-8") == self.key

    def release(self) -> None:
        """Let other runs open this version; what is unfinished stays. Harmless when repeated."""
        self._lock.drop()

    def close(self) -> None:
        """
        Drop the scratch files, write the checksums, and rename to the final place.

        Raises
        ------
        SpecError
            If the work folder is gone or another run's.
        """
        if not self._is_own():
            self.release()
            message = (
                f"{self.work} is no longer the work folder of this run: something else removed or "
                "replaced it; start again"
            )
            raise SpecError(message)
        shutil.rmtree(self.work / "folds", ignore_errors=True)
        (self.work / "key").unlink()
        files = sorted(path for path in self.work.rglob("*") if path.is_file())
        sums = [
            f"{sha256(path.read_bytes())}  {path.relative_to(self.work).as_posix()}\n"
            for path in files
        ]
        write_text(self.work / CHECKSUMS, "".join(sums))
        self.work.rename(self.final)
        self.release()


class _Lock:
    """A file that one run holds; the system frees it when the process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._held: int | None = None

    def take(self, final: Path) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        while self._held is None:
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(handle)
                message = (
                    f"another run of this version is in progress ({final}); wait for it, raise "
                    "`version`, or choose another folder with --out"
                )
                raise SpecError(message) from None
            except BaseException:
                os.close(handle)
                raise
            if self._is_at_path(handle):
                self._held = handle
            else:  # the holder removed the file between our opening and our locking it
                os.close(handle)

    def _is_at_path(self, handle: int) -> bool:
        try:
            return os.path.samestat(os.fstat(handle), self.path.stat())
        except FileNotFoundError:
            return False

    def drop(self) -> None:
        if self._held is not None:
            if self._is_at_path(self._held):
                self.path.unlink()
            os.close(self._held)
            self._held = None

    def __del__(self) -> None:
        if self._held is not None:
            os.close(self._held)


class FoldCache:
    """
    Finished refits of a stopped run: predictions by row number, kept for the time of the run.

    Parameters
    ----------
    folder : Path
        Scratch folder inside the work folder; removed when the run ends.
    key : str
        Of the run, stored with every refit; a refit of another run is none.
    """

    def __init__(self, folder: Path, *, key: str = "") -> None:
        self.folder = folder
        self.key = key

    def _path(self, name: str) -> Path:
        return self.folder / f"{quote(name, safe=' ')}.json"

    def get(self, name: str) -> dict[str, Any] | None:
        """
        Return a finished refit.

        Parameters
        ----------
        name : str
            Which one.

        Returns
        -------
        dict or None
            What `put` stored under the same key, arrays included.
        """
        path = self._path(name)
        if not path.exists():
            return None
        stored = json.loads(path.read_text(encoding="utf-8"))
        if stored.get("key") != self.key:
            return None
        arrays = {name: np.asarray(values) for name, values in stored["arrays"].items()}
        return {**stored["plain"], **arrays}

    def put(self, name: str, result: dict[str, Any]) -> None:
        """
        Store a finished refit.

        Parameters
        ----------
        name : str
            Which one.
        result : dict
            Arrays and plain values; floats are stored so that they read back exactly.
        """
        arrays = {
            part: value.tolist() for part, value in result.items() if isinstance(value, np.ndarray)
        }
        plain = {part: value for part, value in result.items() if part not in arrays}
        text = json.dumps({"key": self.key, "arrays": arrays, "plain": plain})
        write_bytes(self._path(name), text.encode())
