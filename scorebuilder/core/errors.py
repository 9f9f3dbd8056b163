"""The errors and warnings of the field, each with the exit code that the command line returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class ScorebuilderError(Exception):
    """Base of every error that a user can mend; `exit_code` is what the command line returns."""

    exit_code = 1


class SpecError(ScorebuilderError):
    """The experiment spec or the command line cannot be used as written."""

    exit_code = 2


@dataclass(frozen=True, order=True)
class Violation:
    """
    One broken rule of a cohort's schema.

    Attributes
    ----------
    column : str
        The column, or ``""`` for the table as a whole.
    rule : str
        What is required, in words.
    count : int
        Rows that break the rule (0 when the rule concerns the column as a whole).
    remedy : str
        What to do about it.
    rows : tuple of int
        The first few row numbers of the data, counted from 1 without the header.
    """

    column: str
    rule: str
    count: int = 0
    remedy: str = ""
    rows: tuple[int, ...] = ()

    def __str__(self) -> str:
        where = f"column `{self.column}`: " if self.column else ""
        text = f"{where}{self.rule}"
        if self.count:
            shown = ", ".join(str(row) for row in self.rows)
            more = ", ..." if self.count > len(self.rows) else ""
            lines = f" (row{'s' if self.count > 1 else ''} {shown}{more})" if self.rows else ""
            text += f"; {self.count} row{'s' if self.count > 1 else ''}{lines}"
        return f"{text}. {self.remedy}" if self.remedy else f"{text}."


class CohortError(ScorebuilderError):
    """
    The data break their schema; lists all violations at once.

    Parameters
    ----------
    violations : sequence of Violation
        Every broken rule, at least one.
    source : str
        Name of the table, for the first line of the message.
    """

    exit_code = 3

    def __init__(self, violations: Sequence[Violation], *, source: str = "the data") -> None:
        self.violations = tuple(violations)
        plural = "s" if len(self.violations) != 1 else ""
        lines = [f"{source}: {len(self.violations)} violation{plural} of the schema"]
        lines += [f"  - {violation}" for violation in self.violations]
        super().__init__("\n".join(lines))


class ModelError(ScorebuilderError):
    """A model could not be fitted to these data."""

    exit_code = 4


class ConvergenceError(ModelError):
    """The likelihood has no finite maximum, or the iterations did not reach it."""


class BelowRangeError(ModelError, ValueError):
    """A value lies where a fitted function has none, such as the logarithm of 0."""


class UndefinedMetricError(ScorebuilderError):
    """A statistic has no value here; the message is the reason that reports print."""

    exit_code = 1


class ArtifactError(ScorebuilderError):
    """A score artifact is damaged, or does not fit the data it should score."""

    exit_code = 2


class ArtifactVersionError(ArtifactError):
    """A score version exists already, or its number does not fit what changed."""


class MissingPartError(ScorebuilderError):
    """An optional library or program that this step needs is not installed."""

    exit_code = 5


class StatisticalWarning(UserWarning):
    """A result that can be used, with doubt."""
