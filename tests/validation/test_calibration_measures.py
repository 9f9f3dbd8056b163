"""Calibration, explained variation and likelihood: equal to R in every reference case."""

from __future__ import annotations

import numpy as np
import pytest

from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.survival.event_risk import event_risk
from scorebuilder.survival.logrank import logrank
from scorebuilder.survival.outcome import make_outcome
from scorebuilder.survival.pseudo_observations import pseudo_observations
from scorebuilder.validation.calibration import (
    calibration_in_the_large,
    calibration_slope,
    calibration_smooth,
)
from scorebuilder.validation.calibration_poisson import poisson_ratio, poisson_slope
from scorebuilder.validation.calibration_pseudo import pseudo_intercept, pseudo_slope
from scorebuilder.validation.explained_variation import (
    c_goenen_heller,
    gini_mean_difference,
    r2_ko,
    royston_d,
)
from scorebuilder.validation.grouped_calibration import calibration_grouped
from scorebuilder.validation.likelihood_indexes import likelihood_indexes, nested_likelihood
from tests.validation.reference_cases import (
    COMPETING,
    EXPECTED,
    FOLLOWED,
    PAST_FOLLOW_UP,
    SURVIVAL,
    number,
    patients,
)

# sums without iteration; anything through a fit, relative
POINT, FITTED = 1e-12, 1e-8
MODELS = ("old", "new")
CONSTANT = {("deg_equal_predictions", model) for model in MODELS}
WITHOUT_EVENT = {("deg_no_events", model) for model in MODELS}
# R stops at its last iteration, or at a large coefficient, on the way to infinity
SEPARATED = {
    ("deg_perfect_ranking", "new"),
    ("deg_reversed_ranking", "new"),
    ("deg_risk_0_1", "new"),
    ("deg_tiny", "new"),
}
NO_FIT = CONSTANT | WITHOUT_EVENT | SEPARATED
# the equations have no finite root: R stops on the way
NO_ROOT = {
    (name, model)
    for name in ("deg_horizon_at_last_event", "deg_no_event_before_horizon", "deg_no_events")
    for model in MODELS
}
# R's default knots coincide, and it moves them
MOVED_KNOTS = {("gbsg", "old", 4), ("gbsg", "old", 5), ("pbc_cr", "new", 3), ("deg_tiny", "old", 3)}


def cases(names):
    return [(name, model) for name in names for model in MODELS]


def competing_of(found):
    return found.competing if found.name in COMPETING else None


def close(value, expected, *, rel=FITTED, absolute=POINT):
    wanted = number(expected)
    if wanted is None:
        assert value is None
    else:
        assert value == pytest.approx(wanted, rel=rel, abs=absolute)


@pytest.mark.parametrize(("name", "model"), cases(FOLLOWED + COMPETING))
def test_observed_over_expected(name, model):
    found = patients(name)
    other = competing_of(found)
    expected = found.expected["calibration_in_the_large"][model]
    result = calibration_in_the_large(
        found.y, found.risk(model), horizon=found.horizon, competing=other
    )
    close(result.ratio, expected["oe"])
    close(result.observed, expected["observed"])
    close(result.expected, expected["expected"])
    if not result.events and other is None:
        assert result.lower is result.lower_by_events is None
        return
    suffix = "" if other is not None else "_greenwood"
    close(result.lower, expected["lower" + suffix])
    close(result.upper, expected["upper" + suffix])
    if other is None:
        close(result.difference, expected["difference"])
        close(result.lower_by_events, expected["lower_events"])
        close(result.upper_by_events, expected["upper_events"])
        assert result.events == expected["events_by_horizon"]


@pytest.mark.parametrize(("name", "model"), cases(SURVIVAL))
def test_poisson_ratio(name, model):
    found, expected = patients(name), patients(name).expected["calibration_poisson"][model]["ratio"]
    result = poisson_ratio(found.y, found.column(f"cumhaz_{model}"), horizon=found.horizon)
    assert result.observed == expected["observed"]
    close(result.expected, expected["expected"])
    close(result.ratio, expected["oe"])
    if result.observed == 0:
        assert result.reason
        assert result.lower is None
        return
    # R's GLM reaches the standard error of its intercept, 1 / sqrt(events), to 1e-6
    close(result.standard_error, expected["se"], rel=1e-6)
    close(result.lower, expected["lower"], rel=1e-6)
    close(result.upper, expected["upper"], rel=1e-6)


@pytest.mark.parametrize(("name", "model"), cases(SURVIVAL))
def test_poisson_slope(name, model):
    found, expected = patients(name), patients(name).expected["calibration_poisson"][model]["slope"]
    arguments = (found.y, found.column(f"cumhaz_{model}"), found.column(f"lp_{model}"))
    nothing = not np.any(found.y["event"] & (found.y["time"] <= found.horizon))
    if (name, model) in CONSTANT | {("deg_risk_0_1", "new")} or nothing:
        with pytest.raises(UndefinedMetricError):
            poisson_slope(*arguments, horizon=found.horizon)
        return
    result = poisson_slope(*arguments, horizon=found.horizon)
    close(result.slope, expected["slope"], rel=1e-7)
    close(result.intercept, expected["intercept"], rel=1e-7)
    close(result.slope_error, expected["se_slope"], rel=1e-7)
    close(result.intercept_error, expected["se_intercept"], rel=1e-7)


@pytest.mark.parametrize(("name", "model"), cases(SURVIVAL))
@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_slope_and_its_tests(name, model, ties):
    found = patients(name)
    expected = found.expected["calibration_slope"][model][f"lp_{ties}"]
    predictor = found.column(f"lp_{model}")
    if (name, model) in NO_FIT:
        with pytest.raises(UndefinedMetricError):
            calibration_slope(found.y, found.risk(model), linear_predictor=predictor, ties=ties)
        return
    result = calibration_slope(found.y, found.risk(model), linear_predictor=predictor, ties=ties)
    close(result.slope, expected["slope"])
    close(result.standard_error, expected["se"])
    if ties == "efron":
        close(result.lower, expected["lower"])
        close(result.upper, expected["upper"])
        # differences of the slope from 1, and of log likelihoods, lose digits
        close(result.wald_z, expected["wald_z_vs_1"], rel=1e-7, absolute=1e-7)
        close(result.wald_p, expected["wald_p_vs_1"], rel=1e-7, absolute=1e-7)
        close(result.lr_statistic, expected["lr_vs_1"], absolute=1e-8)
        close(result.lr_p, expected["lr_p_vs_1"], rel=1e-7, absolute=2e-5)


@pytest.mark.parametrize(("name", "model"), cases(COMPETING))
def test_slope_with_competing_risks(name, model):
    found, expected = patients(name), patients(name).expected["calibration_slope"][model]["crr"]
    result = calibration_slope(found.y, found.risk(model), competing=found.competing)
    # the package stops at a gradient of 1e-10
    close(result.slope, expected["slope"], rel=1e-9)
    close(result.standard_error, expected["se"])
    assert result.lr_statistic is None


@pytest.mark.parametrize("name", FOLLOWED + COMPETING)
def test_pseudo_observations(name):
    found, expected = patients(name), patients(name).expected.get("pseudo_values_first20")
    if name == "deg_horizon_at_last_event":
        # R has no value for the patient without whom nobody is followed
        with pytest.raises(UndefinedMetricError, match="without one of the patients"):
            pseudo_observations(found.y, found.horizon)
        return
    pseudo = pseudo_observations(found.y, found.horizon, competing=competing_of(found))
    if name == "deg_no_events":
        assert not pseudo.any()
        return
    wanted = np.array(expected, dtype=np.float64)
    # n times a risk minus n - 1 times another: n loses three digits
    np.testing.assert_allclose(pseudo[: wanted.size], wanted, atol=1e-11)


def test_pseudo_observations_are_the_plain_jackknife():
    rng = np.random.default_rng(3)
    for _ in range(20):
        kind, time = rng.integers(0, 3, 15), rng.integers(1, 7, 15).astype(float)
        y, other = make_outcome(kind == 1, time), kind == 2
        for horizon in (2.0, 4.0, 6.0):
            whole = event_risk(y, horizon, competing=other).risk
            if np.sum(time >= horizon) < 2:
                continue
            left = [
                event_risk(np.delete(y, row), horizon, competing=np.delete(other, row)).risk
                for row in range(15)
            ]
            found = pseudo_observations(y, horizon, competing=other)
            np.testing.assert_allclose(found, 15 * whole - 14 * np.array(left), atol=1e-12)
    with pytest.raises(UndefinedMetricError, match="single"):
        pseudo_observations(y[:1], 1.0)


@pytest.mark.parametrize(("name", "model"), cases(FOLLOWED + COMPETING))
def test_calibration_by_pseudo_observations(name, model):
    found, expected = patients(name), patients(name).expected["calibration_pseudo"][model]
    arguments = {"horizon": found.horizon, "competing": competing_of(found)}
    y, risk = found.y, found.risk(model)
    if (name, model) in NO_ROOT | {("deg_risk_0_1", "new")}:
        for function in (pseudo_intercept, pseudo_slope):
            with pytest.raises(UndefinedMetricError):
                function(y, risk, **arguments)
        return
    level = pseudo_intercept(y, risk, **arguments)
    close(level.intercept, expected["intercept"]["intercept"], rel=1e-7)
    close(level.standard_error, expected["intercept"]["se"], rel=1e-7)
    separated = SEPARATED | {("deg_tiny", "old")}
    if (name, model) in CONSTANT | separated:
        with pytest.raises(UndefinedMetricError):
            pseudo_slope(y, risk, **arguments)
        return
    slope = pseudo_slope(y, risk, **arguments)
    # with one event R's scoring still swings by 0.01 when it stops
    tolerance = 0.02 if name == "deg_one_event" else 1e-7
    close(slope.slope, expected["slope"]["slope"], rel=1e-7, absolute=tolerance)
    close(slope.standard_error, expected["slope"]["se_slope"], rel=1e-7, absolute=tolerance)
    close(slope.intercept, expected["slope"]["intercept"], rel=1e-7, absolute=tolerance)


@pytest.mark.parametrize(("name", "model"), cases(FOLLOWED + COMPETING))
def test_smooth_calibration(name, model):
    found, stored = patients(name), patients(name).expected["calibration_smooth"][model]
    other = competing_of(found)
    curves = {3: stored} if other is not None else {k: stored.get(f"rcs{k}") for k in (3, 4, 5)}
    for n_knots, expected in curves.items():
        if expected is None:
            continue
        arguments = {"horizon": found.horizon, "competing": other}
        y, risk = found.y, found.risk(model)
        if "ici" not in expected or (name, model) in NO_FIT:
            with pytest.raises(UndefinedMetricError):
                calibration_smooth(y, risk, n_knots=n_knots, **arguments)
            continue
        results = [calibration_smooth(y, risk, knots=expected["knots"], **arguments)]
        if (name, model, n_knots) not in MOVED_KNOTS:
            results.append(calibration_smooth(y, risk, n_knots=n_knots, **arguments))
        for result in results:
            for attribute, key in (("ici", "ici"), ("e50", "e50"), ("e90", "e90")):
                close(getattr(result, attribute), expected[key], absolute=FITTED)
            close(result.e_max, expected["emax"], absolute=FITTED)
            np.testing.assert_allclose(
                result.at_patients[:10][: len(expected["first10_observed"])],
                expected["first10_observed"],
                atol=1e-7,
            )


def test_few_distinct_predictions_need_given_knots():
    found = patients("gbsg")
    with pytest.raises(UndefinedMetricError, match="distinct"):
        calibration_smooth(found.y, found.old, horizon=found.horizon, n_knots=5)
    with pytest.raises(ValueError, match="3, 4 or 5"):
        calibration_smooth(found.y, found.old, horizon=found.horizon, n_knots=6)
    with pytest.raises(ValueError, match="ascending"):
        calibration_smooth(found.y, found.old, horizon=found.horizon, knots=[0.0, 0.0, 1.0])


@pytest.mark.parametrize(("name", "model"), cases(FOLLOWED + COMPETING))
def test_groups_and_their_tests(name, model):
    found, stored = patients(name), patients(name).expected["calibration_grouped"][model]
    other = competing_of(found)
    kinds = {0: stored} if other is not None else {0: stored["all_groups"], 5: stored["collapsed"]}
    for least, expected in kinds.items():
        result = calibration_grouped(
            found.y,
            found.risk(model),
            horizon=found.horizon,
            groups=found.settings["groups"],
            least_events=least,
            competing=other,
        )
        if "error" in expected:
            assert len(result.groups) == 1
            assert "single group" in result.plain.reason
            continue
        groups = expected["groups"] if other is None else expected
        keys = {"n": "n", "events": "events", "predicted": "predicted", "standard_error": "se"}
        keys["observed"] = "km_risk" if other is None else "aj_risk"
        if other is None:
            keys |= {"lower": "lower", "upper": "upper"}
        for column, key in keys.items():
            values = np.atleast_1d(np.array(groups[key], dtype=object))
            wanted = np.array([np.nan if number(v) is None else number(v) for v in values])
            ours = result.groups[column].to_numpy(dtype=np.float64)
            assert ours.size == wanted.size
            both = np.isfinite(wanted) & np.isfinite(ours)
            if column not in {"lower", "upper"}:
                assert (both == np.isfinite(wanted)).all()
            np.testing.assert_allclose(ours[both], wanted[both], atol=1e-11)
        if other is not None:
            continue
        for test, key in ((result.greenwood, "gnd"), (result.plain, "dagostino_nam")):
            close(test.statistic, expected[f"{key}_chi2"], rel=1e-9)
            if test.p is None:
                assert test.reason
            else:
                close(test.p, expected[f"{key}_p"])


@pytest.mark.parametrize(("name", "model"), cases(SURVIVAL))
def test_explained_variation(name, model):
    found, expected = patients(name), patients(name).expected["royston_d"][model]
    predictor = found.column(f"lp_{model}")
    if (name, model) in NO_FIT:
        with pytest.raises(UndefinedMetricError):
            royston_d(found.y, predictor)
    else:
        result = royston_d(found.y, predictor)
        close(result.d, expected["D"])
        close(result.standard_error, expected["se_D"])
        close(result.r2_d, expected["R2_D"])
        close(result.upper, result.d + 1.959963984540054 * result.standard_error)
        # R2_D of a limit of D, by the formula
        b = max(result.lower, 0.0) / np.sqrt(8 / np.pi)
        close(result.r2_d_lower, b**2 / (np.pi**2 / 6 + b**2))
        assert result.r2_d_lower <= result.r2_d <= result.r2_d_upper < 1.0
    if (name, model) not in SEPARATED | WITHOUT_EVENT:
        close(r2_ko(found.y, predictor), expected["R2_KO"])
        close(c_goenen_heller(found.y, predictor), expected["C_GH"])


def test_reversed_prediction_has_the_same_separation():
    found = patients("whas500")
    one, two = (royston_d(found.y, sign * found.column("lp_new")) for sign in (1, -1))
    assert one.d == pytest.approx(two.d, rel=1e-10)
    assert gini_mean_difference(np.array([0.0, 3.0])) == 3.0


@pytest.mark.parametrize(("name", "model"), cases(SURVIVAL))
@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_likelihood(name, model, ties):
    found, stored = patients(name), patients(name).expected["likelihood"][ties]
    predictor = found.column(f"lp_{model}")
    if (name, model) in SEPARATED | WITHOUT_EVENT:
        with pytest.raises(UndefinedMetricError):
            likelihood_indexes(found.y, predictor, ties=ties)
        return
    result, expected = likelihood_indexes(found.y, predictor, ties=ties), stored[model]
    close(result.null_log_likelihood, stored["loglik_null"])
    close(result.log_likelihood, expected["loglik"])
    close(result.lr_chi2, expected["lr_chi2"], absolute=1e-9)
    close(result.lr_p, expected["lr_p"])
    close(result.r2_cox_snell, expected["r2_cox_snell"])
    close(result.r2_nagelkerke, expected["r2_nagelkerke"])
    close(result.r2_oquigley, expected["r2_oquigley"])
    if result.df:
        close(result.aic, expected["aic"])
    else:
        assert result.lr_p == 1.0
    if any((name, other) in SEPARATED for other in MODELS):
        return
    added = found.column("lp_old" if model == "new" else "lp_new")
    both = nested_likelihood(found.y, predictor, added, ties=ties)
    close(both.delta_chi2, stored[f"delta_chi2_{model}_to_combined"], absolute=1e-8)
    close(both.p, stored[f"p_{model}_to_combined"], rel=1e-6, absolute=1e-6)
    close(both.adequacy, stored[f"adequacy_{model}"])


NESTED = [name for name in SURVIVAL if "nested_models" in EXPECTED[name]["reference"]]


@pytest.mark.parametrize("name", NESTED)
def test_nested_models(name):
    found, expected = patients(name), patients(name).expected["nested_models"]
    small = found.table[expected["terms_old"]].to_numpy(dtype=np.float64)
    added = [term for term in expected["terms_new"] if term not in expected["terms_old"]]
    result = nested_likelihood(found.y, small, found.table[added].to_numpy(dtype=np.float64))
    for value, key in (
        (result.small.log_likelihood, "loglik_old"),
        (result.large.log_likelihood, "loglik_new"),
        (result.small.lr_chi2, "lr_chi2_old"),
        (result.large.lr_chi2, "lr_chi2_new"),
        (result.delta_chi2, "delta_chi2"),
        (result.df, "df"),
        (result.p, "p"),
        (result.adequacy, "adequacy"),
        (result.small.aic, "aic_old"),
        (result.large.aic, "aic_new"),
        (result.small.bic, "bic_old"),
        (result.large.bic, "bic_new"),
    ):
        close(value, expected[key])


@pytest.mark.parametrize(("name", "model"), cases(SURVIVAL))
def test_logrank(name, model):
    found, expected = patients(name), patients(name).expected["logrank"][model]
    groups = np.searchsorted(found.settings["cut_points"], found.risk(model), side="right")
    if "error" in expected:
        with pytest.raises(UndefinedMetricError, match="one group"):
            logrank(found.y, groups)
        return
    result = logrank(found.y, groups)
    close(result.statistic, expected["chisq"], absolute=1e-10)
    close(result.p, expected["p"])
    assert result.df == expected["df"]
    np.testing.assert_allclose(result.expected, expected["expected"], atol=1e-11)
    assert result.observed.tolist() == expected["observed"]
    assert result.n.tolist() == expected["n"]


def test_past_the_follow_up_is_refused():
    found = patients(PAST_FOLLOW_UP)
    for function in (
        calibration_in_the_large,
        calibration_smooth,
        calibration_grouped,
        pseudo_intercept,
        pseudo_slope,
    ):
        with pytest.raises(UndefinedMetricError, match="past the longest follow-up"):
            function(found.y, found.old, horizon=found.horizon)
