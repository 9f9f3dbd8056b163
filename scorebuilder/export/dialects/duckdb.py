"""DuckDB."""

from __future__ import annotations

from scorebuilder.export.dialect import DIALECTS, Dialect

NO_NUMBER = "('VARCHAR', 'BOOLEAN', 'BLOB', '\"NULL\"')"


class DuckDB(Dialect):
    """A column has one type, which typeof() tells; columns of lists are refused by the database."""

    name, label, double, text_type = "duckdb", "DuckDB", "DOUBLE", "VARCHAR"

    def is_missing(self, given: str) -> str:
        """Print whether a cell is empty, not a number, or text without a character."""
        blanks = "' ' || chr(9) || chr(10) || chr(13)"
        return (
            f"({given} IS NULL"
            f" OR (typeof({given}) = 'VARCHAR' AND TRIM(CAST({given} AS VARCHAR), {blanks}) = '')"
            f" OR (typeof({given}) IN ('DOUBLE', 'FLOAT') AND isnan(TRY_CAST({given} AS DOUBLE))))"
        )

    def as_number(self, given: str) -> str:
        """Print the number in a cell."""
        value = f"TRY_CAST({given} AS DOUBLE)"
        return (
            f"CASE WHEN typeof({given}) NOT IN {NO_NUMBER} AND isfinite({value}) THEN {value} END"
        )

    def as_code(self, given: str) -> str:
        """Print the level code in a cell."""
        value = f"TRY_CAST({given} AS DOUBLE)"
        return (
            f"CASE WHEN typeof({given}) = 'VARCHAR' OR starts_with(typeof({given}), 'ENUM') "
            f"THEN CAST({given} AS VARCHAR) "
            f"WHEN typeof({given}) NOT IN {NO_NUMBER} AND ABS({value}) < 1e15 "
            f"AND {value} = TRUNC({value}) THEN CAST(TRY_CAST({value} AS BIGINT) AS VARCHAR) END"
        )


DIALECTS.register("duckdb", DuckDB())
