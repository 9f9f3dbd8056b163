"""How the functions were chosen: settings, coefficients, closed tests."""

from __future__ import annotations

from typing import Any

from scorebuilder.report import numbers, words
from scorebuilder.report.figure import DataTable, Summary
from scorebuilder.report.section import SECTIONS, Figures, Section

CRITERIA = {"pvalue": "closed tests on P values", "aic": "AIC", "bic": "BIC"}


def _terms(rows: list[dict[str, Any]]) -> DataTable:
    return DataTable(
        "Coefficients (rounded; the equation has every digit)",
        ("Predictor", "Term", "Coefficient (95 % CI)", "Standard error", "P"),
        tuple(
            (
                row["label"],
                row["term"],
                numbers.estimate(
                    row["coefficient"],
                    row["lower"],
                    row["upper"],
                    row.get("reason"),
                    style=numbers.quantity,
                ),
                numbers.maybe(row["standard_error"], row.get("reason"), style=numbers.quantity),
                numbers.p_value(row["p"], row.get("reason")),
            )
            for row in rows
        ),
        text=(1,),
    )


def _steps(rows: list[dict[str, Any]]) -> DataTable | None:
    if not rows:
        return None
    return DataTable(
        "Tests in the order in which they were made",
        ("Variable", "Cycle", "Test", "Chi-squared", "df", "P", "Decision"),
        tuple(
            (
                row["label"],
                str(row["cycle"]),
                row["test"],
                "–" if row["chisq"] is None else numbers.two(row["chisq"]),
                "–" if row["df"] is None else f"{row['df']:g}",
                "–" if row["p"] is None else numbers.p_value(row["p"]),
                row["decision"],
            )
            for row in rows
        ),
        text=(2, 6),
    )


def _special(model: Summary) -> list[tuple[str, str]]:
    """Write the settings that only some studies have."""
    rows = []
    if model.get("joint_factors"):
        rows.append(("All levels tested together", ", ".join(model["joint_factors"])))
    if model.get("spiked"):
        rows.append(("Values up to 0 apart (spike at zero)", ", ".join(model["spiked"])))
    by_share: dict[float, list[str]] = {}
    for row in model.get("winsorised", ()):
        by_share.setdefault(row["share"], []).append(row["label"])
    for share, labels in by_share.items():
        name = f"Pulled in, {100 * share:g} % of patients at each end"
        rows.append((name, ", ".join(labels)))
    return rows


def context(summary: Summary, figures: Figures) -> dict[str, Any]:
    """
    Gather the record of the function selection.

    Parameters
    ----------
    summary : mapping
        The summary of a run.
    figures : mapping
        Drawn figures; this section has none.

    Returns
    -------
    dict
        What the template names.
    """
    del figures
    model = summary["model"]
    why = model.get("reason")
    settled = "and settled" if model["converged"] else "and did not settle"
    sentence = (
        "Multivariable fractional polynomials visited the variables, the strongest first, and asked"
        " of each whether it matters at all, and whether a curve fits better than a line. This took"
        f" {words.plural(model['n_cycles'], 'cycle')} {settled}."
    )
    fit = [
        numbers.maybe(model[key], why, style=numbers.two)
        for key in ("log_likelihood", "null_log_likelihood")
    ]
    settings = [
        ("Criterion", CRITERIA.get(model["criterion"], str(model["criterion"]))),
        (
            "Significance level: variable; function",
            f"{model['select_alpha']:g}; {model['fp_alpha']:g}",
        ),
        ("Degrees of freedom, at most", str(model["max_df"])),
        *_special(model),
        ("Ties", str(model["ties"]).capitalize()),
        ("Log-likelihood", f"{fit[0]} (without predictors {fit[1]})"),
        (
            "Events per candidate parameter",
            numbers.maybe(
                model["events_per_parameter"], why, style=lambda value: numbers.number(value, 1)
            ),
        ),
    ]
    return {
        "sentence": sentence,
        "settings": settings,
        "terms": _terms(model["terms"]),
        "steps": _steps(model["steps"]),
    }


SECTIONS.register(
    "functions", Section("Choice of functions", "Model", 100, "functions.html.j2", context)
)
