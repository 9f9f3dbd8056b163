"""PostgreSQL, 12 or later."""

from __future__ import annotations

from scorebuilder.export.dialect import DIALECTS, Dialect

NUMBERS = "('smallint', 'integer', 'bigint', 'numeric', 'real', 'double precision')"
WORDS = "('text', 'character varying', 'character')"


class PostgreSQL(Dialect):
    """A column has one type, which pg_typeof() tells; numbers pass through their exact text."""

    name, label, double, text_type = "postgresql", "PostgreSQL", "DOUBLE PRECISION", "TEXT"
    step = "AS MATERIALIZED"

    def number(self, value: float) -> str:
        """Print a constant of double precision; a bare one would be decimal."""
        return f"'{float(value)!r}'::float8"

    def is_missing(self, given: str) -> str:
        """Print whether a cell is empty, not a number, or text without a character."""
        blanks = "' ' || chr(9) || chr(10) || chr(13)"
        return (
            f"({given} IS NULL"
            f" OR (pg_typeof({given})::text IN {WORDS} AND btrim({given}::text, {blanks}) = '')"
            f" OR (pg_typeof({given})::text IN {NUMBERS} AND {given}::text = 'NaN'))"
        )

    def as_number(self, given: str) -> str:
        """Print the number in a cell."""
        return (
            f"CASE WHEN pg_typeof({given})::text IN {NUMBERS} AND {given}::text NOT LIKE '%n%' "
            f"AND {given}::text NOT LIKE '%N%' THEN CASE WHEN ABS({given}::text::numeric) < 1e300 "
            f"THEN {given}::text::float8 ELSE '1e300'::float8 END END"
        )

    def as_code(self, given: str) -> str:
        """Print the level code in a cell."""
        return (
            f"CASE WHEN pg_typeof({given})::text IN {WORDS} THEN {given}::text "
            f"WHEN pg_typeof({given})::text IN {NUMBERS} AND {given}::text NOT LIKE '%n%' "
            f"AND {given}::text NOT LIKE '%N%' THEN CASE WHEN ABS({given}::text::numeric) < 1e15 "
            f"AND {given}::text::numeric = trunc({given}::text::numeric) "
            f"THEN trunc({given}::text::numeric)::text END END"
        )


DIALECTS.register("postgresql", PostgreSQL())
