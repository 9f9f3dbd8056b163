"""What a score predicts, in whom and from what: the lines under the title."""

from __future__ import annotations

from scorebuilder.core.units import format_horizon
from scorebuilder.report.figure import Summary


def brief(summary: Summary) -> list[tuple[str, str]]:
    """
    Say what the score is for.

    Parameters
    ----------
    summary : mapping
        ``score`` of a summary; ``model``, if there, names the predictors.

    Returns
    -------
    list of tuple
        Name and text of each line; what is not stated has no line.
    """
    score = summary["score"]
    outcome = (score.get("outcome") or "").rstrip(".")
    horizons = joined([format_horizon(days) for days in score.get("horizons", ())], "or")
    terms = (summary.get("model") or {}).get("terms", ())
    predictors = list(dict.fromkeys(term["label"] for term in terms))
    lines = [
        ("Predicts", f"{outcome}, within {horizons}" if outcome and horizons else outcome),
        ("In whom", score.get("population") or ""),
        ("Time zero", score.get("time_zero") or ""),
        ("Predictors", joined(predictors, "and")),
        ("Not for", score.get("not_for") or ""),
    ]
    return [(name, text) for name, text in lines if text]


def joined(parts: list[str], word: str) -> str:
    """
    Join parts of a sentence.

    Parameters
    ----------
    parts : list of str
        The parts.
    word : str
        Before the last one.

    Returns
    -------
    str
        Empty for no part.

    Examples
    --------
    >>> joined(["3 years", "5 years"], "or"), joined(["a", "b", "c"], "and"), joined([], "and")
    ('3 years or 5 years', 'a, b and c', '')
    """
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {word} {parts[-1]}"
