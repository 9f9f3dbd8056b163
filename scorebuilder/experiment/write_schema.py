"""Write the JSON Schema of experiment specs for editors: ``python -m ... PATH``."""

from __future__ import annotations

import sys
from pathlib import Path

from scorebuilder.core.canonical import dump_json
from scorebuilder.experiment.spec import spec_json_schema
from scorebuilder.score.store import write_text


def write_schema(path: Path) -> None:
    """
    Write the schema that belongs to this version of the spec.

    Parameters
    ----------
    path : Path
        Usually ``experiments/_meta/spec.schema.json``.
    """
    write_text(path, dump_json(spec_json_schema()))


if __name__ == "__main__":
    write_schema(Path(sys.argv[1]))
