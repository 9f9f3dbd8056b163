"""The disk: files appear whole or not at all, and a stored artifact never changes."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from scorebuilder.core.errors import ArtifactError, ArtifactVersionError, SpecError
from scorebuilder.score.artifact import ScoreArtifact


def write_bytes(path: Path, content: bytes) -> None:
    """
    Write to a temporary file beside `path`, then rename.

    Parameters
    ----------
    path : Path
        Replaced if it exists; its folder is made if needed.
    content : bytes
        The whole file.

    Raises
    ------
    SpecError
        If `path` is there already and is not an ordinary file.
    """
    if path.exists() and not path.is_file():
        message = f"{path} exists and is not an ordinary file; choose another name"
        raise SpecError(message)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_text(path: Path, content: str) -> None:
    """
    Write UTF-8 text with LF line ends, whole or not at all.

    Parameters
    ----------
    path : Path
        Replaced if it exists.
    content : str
        The whole file.
    """
    write_bytes(path, content.encode("utf-8"))


def write_folder(folder: Path, files: Mapping[str, bytes], *, mark: str) -> None:
    """
    Write a folder of files, whole or not at all.

    Parameters
    ----------
    folder : Path
        Replaced if it holds the file `mark`, which says that it was written by this function.
    files : mapping of str to bytes
        File name -> content.
    mark : str
        A file that every such folder holds.

    Raises
    ------
    SpecError
        If `folder` is there already and holds something else.
    """
    if folder.exists() and not (folder / mark).is_file() and any(folder.iterdir()):
        message = f"{folder} exists and holds other files; choose another folder"
        raise SpecError(message)
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        for name, content in files.items():
            write_bytes(fresh / name, content)
        fresh.chmod(0o755)
        if folder.exists():
            past = fresh.with_name(f"{fresh.name}.past")
            folder.rename(past)
            fresh.rename(folder)
            shutil.rmtree(past)
        else:
            fresh.rename(folder)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise


def save_artifact(artifact: ScoreArtifact, folder: Path) -> Path:
    """
    Store an artifact as ``<folder>/score.json``; a stored version is never overwritten.

    Parameters
    ----------
    artifact : ScoreArtifact
        What to store.
    folder : Path
        Made if needed.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ArtifactVersionError
        If another artifact is stored there already, also when another process stored it just now.

    Notes
    -----
    The whole text is written beside the file and then given its name by a hard link, which fails
    if the name is taken: of two processes one wins, and a full disk leaves nothing behind.
    """
    path = folder / "score.json"
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".score.json.{os.getpid()}.tmp"
    try:
        write_text(temporary, artifact.to_json())
        os.link(temporary, path)
    except FileExistsError:
        if not _holds(path, artifact):
            message = (
                f"{path} holds another artifact; raise `version`, a stored version never changes"
            )
            raise ArtifactVersionError(message) from None
    finally:
        temporary.unlink(missing_ok=True)
    return path


def _holds(path: Path, artifact: ScoreArtifact) -> bool:
    """Tell whether a file holds the same artifact, in whatever layout."""
    try:
        return load_artifact(path).fingerprint == artifact.fingerprint
    except ArtifactError:
        return False


def version_folder(path: Path, artifact: ScoreArtifact, version: str) -> Path:
    """
    Find the folder of another version: beside that of the artifact.

    Parameters
    ----------
    path : Path
        Where the artifact was read from: ``score.json``, or its folder.
    artifact : ScoreArtifact
        What was read.
    version : str
        The other version.

    Returns
    -------
    Path
        ``<name>/<version>`` beside ``<name>/<present version>``; where the artifact lies in a
        folder of another name, inside that folder.
    """
    folder = path if path.is_dir() else path.parent
    root = folder.parent if folder.name == artifact.content["version"] else folder
    return root / version


def load_artifact(path: str | Path) -> ScoreArtifact:
    """
    Read and check a ``score.json``.

    Parameters
    ----------
    path : str or Path
        The file, or the run folder that holds it.

    Returns
    -------
    ScoreArtifact
        Its hashes fit its content.

    Raises
    ------
    ArtifactError
        If there is no such file, or it is damaged.
    """
    file = Path(path)
    file = file / "score.json" if file.is_dir() else file
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        message = f"there is no artifact at {file}"
        raise ArtifactError(message) from None
    except UnicodeDecodeError:
        message = f"{file} is not UTF-8 text, so it is no artifact"
        raise ArtifactError(message) from None
    return ScoreArtifact.from_json(text)
