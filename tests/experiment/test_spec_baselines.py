"""What a spec says of established scores becomes values, words and recalibrations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scorebuilder.core.errors import SpecError
from scorebuilder.experiment.preflight import compute_baselines, read_cohort
from scorebuilder.experiment.spec import ExperimentSpec

SCHEMA = str(Path(__file__).parents[2] / "data_schemas" / "smart.yaml")
SMART2 = {
    "name": "smart2_2022",
    "settings": {"region": "none"},
    "derive": {"egfr": "ckd_epi_2009", "non_hdl_cholesterol": "total_minus_hdl"},
    "assume": {
        "history_cad": 1, "time_since_first_vascular_diagnosis": 0, "hscrp": 2,
        "antithrombotic_treatment": 1,
    },
    "note": "derived from patients of the same study",
}  # fmt: skip
MAGGIC = {
    "name": "maggic",
    "assume": {
        "lvef": 35, "nyha_class": 2, "copd": 0, "hf_duration_ge_18_months": 1, "beta_blocker": 1,
        "acei_or_arb": 1,
    },
}  # fmt: skip


def spec_of(*baselines):
    return ExperimentSpec.model_validate(
        {
            "name": "smart-events",
            "title": "Events",
            "cohort": {"data": "builtin:smart", "schema": SCHEMA},
            "outcome": {"horizons": ["5y"]},
            "baselines": list(baselines),
        }
    )


@pytest.fixture(scope="module")
def cohort():
    return read_cohort(spec_of())


def computed(cohort, item):
    return compute_baselines(spec_of(item), cohort)[0]


def test_what_was_assumed_and_derived_is_said_in_words(cohort):
    found = computed(cohort, SMART2)
    assert found.assumed == (
        "Coronary artery disease: yes for every patient",
        "Time since the first diagnosis of vascular disease: 0 years for every patient",
        "High-sensitivity C-reactive protein: 2 mg/L for every patient",
        "Takes antithrombotic drugs: yes for every patient",
        "Region of recalibration: none",
    )
    assert found.derived == (
        (
            "Systolic blood pressure: Systolic blood pressure, automatic; where it is missing, "
            "Systolic blood pressure, by hand"
        ),
        "Non-HDL cholesterol: total cholesterol minus HDL cholesterol",
        "Estimated glomerular filtration rate: CKD-EPI 2009 from creatinine, age and sex",
    )
    assert (found.n_assumed, found.note) == (4, "derived from patients of the same study")
    assert (found.key, found.label) == ("smart2_2022", "SMART2")
    assert np.isfinite(found.predictions).sum() == 3578


def test_the_order_of_keys_in_a_spec_changes_no_word(cohort):
    """A stored spec has sorted keys, and must give the same bytes."""
    turned = SMART2 | {"assume": dict(reversed(SMART2["assume"].items()))}
    assert computed(cohort, turned).assumed == computed(cohort, SMART2).assumed


@pytest.mark.parametrize(
    ("item", "methods"),
    [
        (SMART2, ("baseline", "slope_and_baseline")),
        (SMART2 | {"recalibrate": "baseline"}, ("baseline",)),
        (SMART2 | {"recalibrate": "none"}, ()),
        (MAGGIC, ("slope_and_baseline",)),
        (MAGGIC | {"output": "risk_death_3y"}, ("baseline", "slope_and_baseline")),
    ],
)
def test_recalibrations(cohort, item, methods):
    assert computed(cohort, item).recalibrate == methods


def test_another_output_is_a_score_of_its_own(cohort):
    points, risk = computed(cohort, MAGGIC), computed(cohort, MAGGIC | {"output": "risk_death_3y"})
    assert (points.baseline.quantity, risk.baseline.quantity) == ("points", "risk")
    assert (risk.key, risk.label) == (
        "maggic_risk_death_3y",
        f"{points.label}: Death within 3 years",
    )
    assert risk.baseline.horizon == 3 * 365.25
    defined = np.isfinite(risk.predictions)
    assert defined.sum() > 3000
    order = np.argsort(points.predictions[defined], kind="stable")
    assert np.all(np.diff(risk.predictions[defined][order]) >= 0)
    assert risk.table["reason"].isna().to_numpy()[defined].all()


def test_a_variant_has_its_own_name(cohort):
    found = computed(
        cohort, {"name": "score2", "variant": "scales_6dp", "settings": {"region": "low"}}
    )
    assert (found.key, found.label) == ("score2_scales_6dp", "SCORE2 (scales 6dp)")


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (MAGGIC | {"recalibrate": "baseline"}, "maggic: `recalibrate`: points have no slope of 1"),
        (MAGGIC | {"output": "risk"}, "`output` may be, without a `variant`: risk_death_1y"),
        (
            {"name": "score2", "derive": {"egfr": "ckd_epi_2009"}},
            "`derive` names what the score does not ask for: egfr; it asks for: age",
        ),
        (SMART2 | {"derive": {"egfr": "mdrd"}}, "no formula `mdrd` gives `egfr`"),
    ],
)
def test_what_does_not_fit_is_named(cohort, item, message):
    with pytest.raises(SpecError) as caught:
        computed(cohort, item)
    assert str(caught.value).startswith("`baselines`: ")
    assert message in str(caught.value)


def test_the_same_score_may_stand_with_several_outputs():
    spec = spec_of("maggic", {"name": "maggic", "output": "risk_death_1y"})
    assert len(spec.baselines) == 2
    with pytest.raises(ValueError, match="repeated: maggic risk_death_1y"):
        spec_of(*[{"name": "maggic", "output": "risk_death_1y"}] * 2)
