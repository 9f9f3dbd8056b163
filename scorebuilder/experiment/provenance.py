"""What a result depends on: data, spec, code, versions."""

from __future__ import annotations

import platform
from functools import lru_cache
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable

import scorebuilder
from scorebuilder.core.canonical import sha256

LIBRARIES = (
    "numpy", "scipy", "pandas", "numba", "scikit-learn", "scikit-survival", "statsmodels",
    "lifelines",
)  # fmt: skip


def library_versions() -> dict[str, str]:
    """
    Return the versions of Python, of this package and of the libraries that compute.

    Returns
    -------
    dict
        Name -> version.
    """
    found = {"python": platform.python_version(), "scorebuilder": scorebuilder.__version__}
    return found | {name: version(name) for name in LIBRARIES}


@lru_cache(maxsize=1)
def code_sha256() -> str:
    """
    Hash the source of this package.

    Returns
    -------
    str
        SHA-256 over names and contents of its source files, templates and cohorts; the schemas of
        the built-in cohorts are not part of it, since a wheel and a checkout hold them elsewhere.
    """
    lines = _source_lines(files("scorebuilder"), "")
    return sha256("".join(lines).encode())


def _source_lines(folder: Traversable, prefix: str) -> list[str]:
    lines: list[str] = []
    for item in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if item.name.startswith((".", "__pycache__", "data_schemas")):
            continue
        if item.is_dir():
            lines += _source_lines(item, f"{prefix}{item.name}/")
        else:
            lines.append(f"{prefix}{item.name} {sha256(item.read_bytes())}\n")
    return lines
