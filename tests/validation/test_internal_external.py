"""Internal-external validation: who is fitted, who is judged, and what is hidden."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator

from scorebuilder.core.errors import ModelError
from scorebuilder.survival.outcome import make_outcome
from scorebuilder.validation.internal_external import internal_external, n_refits
from scorebuilder.validation.performance import evaluate_apparent
from scorebuilder.validation.pooling import to_scale
from scorebuilder.validation.random_effects import random_effects

SEEN: list[set[int]] = []


class Remembers(BaseEstimator):
    """Scales the true predictor by the events it was fitted to, and notes whom it saw."""

    def fit(self, X, y):
        SEEN.append(set(X["id"]))
        self.rate_ = y["event"].sum() / y["time"].sum()
        return self

    def predict(self, X):
        return X["a"].to_numpy()

    def predict_risk(self, X, *, horizon):
        return -np.expm1(-self.rate_ * horizon * np.exp(self.predict(X) - 0.5))


def cohort(n=400, seed=2):
    random = np.random.default_rng(seed)
    X = pd.DataFrame({"a": random.normal(size=n), "id": np.arange(n)})
    time = random.exponential(np.exp(-X["a"].to_numpy()))
    censoring = random.exponential(1.5, n)
    centre = pd.Series(random.choice(["B", "A", "C", None], n, p=[0.4, 0.3, 0.25, 0.05]))
    centre[:6] = "tiny"
    return X, make_outcome(time <= censoring, np.minimum(time, censoring)), centre


def test_each_cluster_is_judged_by_a_build_that_has_not_seen_it():
    X, y, centre = cohort()
    SEEN.clear()
    result = internal_external(Remembers(), X, y, centre, horizons=(0.5,))
    assert len(SEEN) == 3 == n_refits(centre, y, horizons=(0.5,))
    for label, seen in zip("ABC", list(SEEN), strict=True):
        assert seen == set(np.flatnonzero(centre.notna() & (centre != label)))
        inside = (centre == label).to_numpy()
        model = Remembers().fit(X[~inside & centre.notna()], y[~inside & centre.notna()])
        risk = model.predict_risk(X[inside], horizon=0.5)
        expected = evaluate_apparent(y[inside], risk, horizon=0.5, metric="auc")
        own = next(e for e in result.clusters if (e.cluster, e.metric) == (label, "auc"))
        assert own.value == expected.value
        assert own.n == inside.sum()
        assert own.n_events == expected.n_events
        # The error is the one of `evaluate`; limits are symmetric on the logit scale.
        assert own.standard_error == pytest.approx(
            (expected.upper - expected.lower) / (2 * 1.959963984540054), rel=1e-9
        )
        assert own.lower < own.value < own.upper
    assert result.n_unknown == centre.isna().sum()


def test_small_clusters_are_hidden_and_only_help_to_fit():
    X, y, centre = cohort()
    result = internal_external(Remembers(), X, y, centre, horizons=(0.5,))
    tiny = [e for e in result.clusters if e.cluster == "tiny"]
    assert len(tiny) == 4
    for estimate in tiny:
        assert (estimate.value, estimate.n, estimate.n_events) == (None, None, None)
        assert estimate.reason == "fewer than 10 events by the horizon"
    table = result.table()
    assert table["value"].isna().equals(table["reason"].notna())


def test_clusters_are_pooled_on_the_scale_of_the_measure():
    X, y, centre = cohort()
    result = internal_external(Remembers(), X, y, centre, horizons=(0.5,))
    for metric, scale in (("auc", "logit"), ("observed_expected", "log"), ("slope", "identity")):
        own = [e for e in result.clusters if e.metric == metric and e.value is not None]
        placed = np.array([to_scale(e.value, e.standard_error, scale) for e in own])
        expected = random_effects(placed[:, 0], placed[:, 1])
        summary = next(p for p in result.pooled if p.metric == metric)
        assert to_scale(summary.value, 1.0, scale)[0] == pytest.approx(expected.mean)
        assert summary.n_clusters == 3
        assert summary.predicted_lower <= summary.lower < summary.value < summary.upper
    assert len(result.pooled_table()) == 4


def test_workers_and_cache_do_not_matter():
    X, y, centre = cohort()
    kept: dict[str, dict] = {}

    class Cache:
        def get(self, name):
            return kept.get(name)

        def put(self, name, content):
            kept[name] = content

    calls: list[int] = []
    one = internal_external(Remembers(), X, y, centre, horizons=(0.3, 0.5), cache=Cache())
    two = internal_external(Remembers(), X, y, centre, horizons=(0.3, 0.5), n_jobs=2)
    SEEN.clear()
    again = internal_external(
        Remembers(), X, y, centre, horizons=(0.3, 0.5), cache=Cache(),
        progress=lambda: calls.append(1),
    )  # fmt: skip
    assert one == two == again
    assert SEEN == []
    assert len(calls) == len(kept) == 3


def test_what_cannot_be_done_is_said():
    X, y, centre = cohort()
    with pytest.raises(ModelError, match=r"two clusters with 10 events .* 1 of 1 have them"):
        internal_external(Remembers(), X, y, centre.where(centre == "A"), horizons=(0.5,))
    with pytest.raises(ValueError, match="equal length; got 400, 400 and 399"):
        internal_external(Remembers(), X, y, centre[1:], horizons=(0.5,))


def test_categories_keep_their_order():
    X, y, centre = cohort()
    periods = pd.Series(pd.Categorical(centre, categories=["C", "A", "B", "tiny", "none"]))
    result = internal_external(Remembers(), X, y, periods, horizons=(0.5,))
    assert list(dict.fromkeys(e.cluster for e in result.clusters)) == ["C", "A", "B", "tiny"]


def test_forward_fits_to_earlier_periods_and_judges_the_next():
    X, y, centre = cohort()
    periods = pd.Series(pd.Categorical(centre, categories=["B", "A", "C", "tiny"]))
    SEEN.clear()
    result = internal_external(Remembers(), X, y, periods, horizons=(0.5,), forward=True)
    assert len(SEEN) == 2 == n_refits(periods, y, horizons=(0.5,), forward=True)
    for earlier, seen in zip((["B"], ["B", "A"]), list(SEEN), strict=True):
        assert seen == set(np.flatnonzero(periods.isin(earlier)))
    model = Remembers().fit(X[periods == "B"], y[periods == "B"])
    inside = (periods == "A").to_numpy()
    risk = model.predict_risk(X[inside], horizon=0.5)
    expected = evaluate_apparent(y[inside], risk, horizon=0.5, metric="auc")
    found = {e.cluster: e for e in result.clusters if e.metric == "auc"}
    assert found["A"].value == expected.value
    assert found["B"].value is found["B"].n is None
    assert found["B"].reason == "fewer than 10 events in the periods before: it serves to fit only"
    assert found["tiny"].reason == "fewer than 10 events by the horizon"
    assert next(p for p in result.pooled if p.metric == "auc").n_clusters == 2


def test_forward_without_an_earlier_period_is_refused():
    X, y, centre = cohort()
    with pytest.raises(ModelError, match="none of 1 has them"):
        internal_external(
            Remembers(), X, y, centre.where(centre == "A"), horizons=(0.5,), forward=True
        )
