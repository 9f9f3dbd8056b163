"""Google BigQuery."""

from __future__ import annotations

from scorebuilder.export.dialect import DIALECTS, Dialect

_ESCAPES = {"\\": "\\\\", "'": "\\'", "`": "\\`", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


class BigQuery(Dialect):
    """The type of a cell is told by its JSON; infinite numbers and NaN are text there."""

    name, label, double, text_type = "bigquery", "BigQuery", "FLOAT64", "STRING"

    @staticmethod
    def _type(given: str) -> str:
        return f"JSON_TYPE(TO_JSON({given}))"

    def text(self, value: str) -> str:
        """Print text as a literal, with backslashes for what needs them."""
        return "'" + "".join(_ESCAPES.get(sign, sign) for sign in value) + "'"

    def name_of(self, name: str) -> str:
        """Print the name of a column or a table, in backticks."""
        return "`" + "".join(_ESCAPES.get(sign, sign) for sign in name) + "`"

    def is_missing(self, given: str) -> str:
        """Print whether a cell is empty, not a number, or text without a character."""
        return (
            f"({given} IS NULL OR ({self._type(given)} = 'string' "
            f"AND (TRIM(CAST({given} AS STRING)) = '' "
            f"OR FORMAT('%T', {given}) = 'CAST(\"nan\" AS FLOAT64)')))"
        )

    def as_number(self, given: str) -> str:
        """Print the number in a cell."""
        return f"CASE WHEN {self._type(given)} = 'number' THEN SAFE_CAST({given} AS FLOAT64) END"

    def as_code(self, given: str) -> str:
        """Print the level code in a cell."""
        value = f"SAFE_CAST({given} AS FLOAT64)"
        return (
            f"CASE WHEN {self._type(given)} = 'string' THEN CAST({given} AS STRING) "
            f"WHEN {self._type(given)} = 'number' AND ABS({value}) < 1e15 "
            f"AND {value} = TRUNC({value}) THEN CAST(CAST({value} AS INT64) AS STRING) END"
        )


DIALECTS.register("bigquery", BigQuery())
