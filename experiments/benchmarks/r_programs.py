"""Run an R script on a table and read the words that it prints, where R has the packages."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import pandas as pd


def run_r(package: str, script: str, table: pd.DataFrame) -> list[str] | None:
    """Return the printed words, or None where R or the package is not installed."""
    program = shutil.which("Rscript")
    if program is None:
        return None
    there = f'quit(status = !requireNamespace("{package}", quietly = TRUE))'
    if subprocess.run([program, "-e", there], capture_output=True, check=False).returncode:
        return None
    with tempfile.TemporaryDirectory() as folder:
        data, source = Path(folder) / "cohort.csv", Path(folder) / "script.R"
        table.to_csv(data, index=False)
        source.write_text(script)
        command = [program, str(source), str(data)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.split()
