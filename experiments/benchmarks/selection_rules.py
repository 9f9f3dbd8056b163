"""
What the selection rules keep in cohorts whose truth is known, and what they cost.

``python experiments/benchmarks/selection_rules.py`` fits a selector with each rule, settings at
their defaults but the number of trees, in cohorts of `vimp_coverage.sample`: eleven variables, of
which three have an effect, or with ``--null`` none. It prints how often each effect is kept, how
many of the others, in how many cohorts any of them, and the median processor time of a fit in
seconds. The cohorts are not those of ``vimp_coverage.py``. Figures in ``docs/selection.md`` come
from both runs, which take about five and seven minutes of one core.
"""

from __future__ import annotations

import argparse
import json
import time

import pandas as pd
from vimp_coverage import EFFECTS, sample

from scorebuilder.core.arrays import Outcome
from scorebuilder.selection import RSFSelector

RULES = {
    "vimp_ci, total": {"rule": "vimp_ci"},
    "vimp_ci, trees": {"rule": "vimp_ci", "vimp_error": "trees"},
    "minimal_depth": {"rule": "minimal_depth"},
    "boruta": {"rule": "boruta"},
    "parsimony": {"rule": "parsimony"},
}
LONGEST, HORIZON = 2.0, 0.7
"""Longest follow-up; about half of the patients have had the event by the horizon."""
FIRST = 10_000
"""Number of the first cohort; `vimp_coverage.py` counts from 0."""


def fit(rule: str, X: pd.DataFrame, y: Outcome, number: int, settings: argparse.Namespace) -> dict:
    """Fit one selector; say what it keeps and how long that took."""
    selector = RSFSelector(
        n_estimators=settings.trees, rule_n_estimators=settings.refit_trees, horizon=HORIZON,
        random_state=number, n_jobs=settings.jobs, **RULES[rule],
    )  # fmt: skip
    start = time.process_time()
    kept = set(selector.fit(X, y).get_feature_names_out())
    seconds = time.process_time() - start
    effects = {} if settings.null else {name: name in kept for name in EFFECTS}
    others = len(kept - set(effects))
    return {"rule": rule, **effects, "others": others, "any other": others > 0, "seconds": seconds}


def main() -> None:
    """Read the arguments, run, print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--null", action="store_true", help="no variable has an effect")
    parser.add_argument("--patients", type=int, default=300)
    parser.add_argument("--cohorts", type=int, default=20)
    parser.add_argument("--trees", type=int, default=500, help="of the ranking forest")
    parser.add_argument("--refit-trees", type=int, default=150, help="of boruta and parsimony")
    parser.add_argument("--rules", nargs="+", choices=RULES, default=list(RULES))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    settings = parser.parse_args()
    rows = []
    for number in range(FIRST, FIRST + settings.cohorts):
        X, y = sample(settings.patients, LONGEST, number, null=settings.null)
        rows += [fit(rule, X, y, number, settings) for rule in settings.rules]
    by_rule = pd.DataFrame(rows).groupby("rule", sort=False)
    table = by_rule.mean(numeric_only=False).assign(seconds=by_rule["seconds"].median())
    if settings.json:
        print(json.dumps(table.reset_index().to_dict(orient="records")))
        return
    print(f"{settings.patients} patients, {settings.cohorts} cohorts")
    print(table.round(3).to_string())


if __name__ == "__main__":
    main()
