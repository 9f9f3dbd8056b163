"""SQLite, 3.35 or later with its mathematical functions."""

from __future__ import annotations

from scorebuilder.export.dialect import DIALECTS, Dialect

LARGEST = "1.7976931348623157e308"


class SQLite(Dialect):
    """Cells have types of their own here; truth values are the numbers 0 and 1."""

    name, label, double, text_type = "sqlite", "SQLite", "REAL", "TEXT"
    step = "AS MATERIALIZED"

    def is_missing(self, given: str) -> str:
        """Print whether a cell is empty, or text without a character."""
        blanks = "' ' || char(9) || char(10) || char(13)"
        return f"({given} IS NULL OR (typeof({given}) = 'text' AND TRIM({given}, {blanks}) = ''))"

    def as_number(self, given: str) -> str:
        """Print the number in a cell."""
        return (
            f"CASE WHEN typeof({given}) IN ('integer', 'real') AND ABS({given}) <= {LARGEST} "
            f"THEN CAST({given} AS REAL) END"
        )

    def as_code(self, given: str) -> str:
        """Print the level code in a cell."""
        return (
            f"CASE typeof({given}) WHEN 'text' THEN {given} "
            f"WHEN 'integer' THEN CAST({given} AS TEXT) "
            f"WHEN 'real' THEN CASE WHEN ABS({given}) < 1e15 "
            f"AND {given} = CAST({given} AS INTEGER) "
            f"THEN CAST(CAST({given} AS INTEGER) AS TEXT) END END"
        )


DIALECTS.register("sqlite", SQLite())
