"""Microsoft SQL Server, 2012 or later."""

from __future__ import annotations

from scorebuilder.export.dialect import DIALECTS, Dialect

NUMBERS = (
    "('tinyint', 'smallint', 'int', 'bigint', 'decimal', 'numeric', 'real', 'float', 'money', "
    "'smallmoney')"
)
WORDS = "('varchar', 'nvarchar', 'char', 'nchar')"


class SQLServer(Dialect):
    """A column has one type; floating-point numbers are never infinite or NaN here."""

    name, label, double, text_type = "sqlserver", "SQL Server", "FLOAT", "NVARCHAR(4000)"

    @staticmethod
    def _type(given: str) -> str:
        return f"CAST(SQL_VARIANT_PROPERTY({given}, 'BaseType') AS NVARCHAR(128))"

    def function(self, name: str, operand: str) -> str:
        """Print a function of one operand; LOG is the natural logarithm."""
        return f"{'LOG' if name == 'ln' else name.upper()}({operand})"

    def text(self, value: str) -> str:
        """Print text as a Unicode literal."""
        return "N'" + value.replace("'", "''") + "'"

    def name_of(self, name: str) -> str:
        """Print the name of a column or a table, in square brackets."""
        return "[" + name.replace("]", "]]") + "]"

    def joined(self, parts: list[str]) -> str:
        """Print texts written one behind the other."""
        return f"CONCAT({', '.join(parts)})" if len(parts) > 1 else parts[0]

    def one_of(self, name: str, codes: tuple[str, ...]) -> str:
        """Print 1 if a factor has one of some codes, whatever the collation; else 0."""
        column = f"{self.input(name)} COLLATE Latin1_General_BIN2"
        shown = ", ".join(map(self.text, codes))
        return f"CASE WHEN {column} IN ({shown}) THEN 1e0 ELSE 0e0 END"

    def is_missing(self, given: str) -> str:
        """Print whether a cell is empty, or text without a character."""
        kept = f"CAST({given} AS NVARCHAR(4000))"
        for code in (9, 10, 13):
            kept = f"REPLACE({kept}, CHAR({code}), '')"
        return (
            f"({given} IS NULL OR ({self._type(given)} IN {WORDS} AND LTRIM(RTRIM({kept})) = ''))"
        )

    def as_number(self, given: str) -> str:
        """Print the number in a cell."""
        return f"CASE WHEN {self._type(given)} IN {NUMBERS} THEN TRY_CAST({given} AS FLOAT) END"

    def as_code(self, given: str) -> str:
        """Print the level code in a cell."""
        value = f"TRY_CAST({given} AS FLOAT)"
        return (
            f"CASE WHEN {self._type(given)} IN {WORDS} THEN CAST({given} AS NVARCHAR(4000)) "
            f"WHEN {self._type(given)} IN {NUMBERS} AND ABS({value}) < 1e15 "
            f"AND {value} = FLOOR({value}) THEN CAST(CAST({value} AS BIGINT) AS NVARCHAR(4000)) END"
        )


DIALECTS.register("sqlserver", SQLServer())
