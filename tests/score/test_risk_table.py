import numpy as np
import pytest

from scorebuilder.score.risk_table import (
    MINIMUM_PATIENTS,
    ObservedRisk,
    observed_risk,
    risk_by_band,
    risk_of_bands,
)
from scorebuilder.survival.outcome import make_outcome


def test_observed_risk_respects_censoring_by_hand():
    # Twelve patients: two events at day 1, four censored at day 2, one event at day 3, the rest
    # followed to day 9. Kaplan-Meier at day 5: 10/12 x 5/6 = 25/36; the share of all patients with
    # an event, 3/12, would be too low.
    y = make_outcome([1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0], [1, 1, 2, 2, 2, 2, 3, 9, 9, 9, 9, 9])
    row = observed_risk(y, np.full(12, 0.25), band=4, horizon=5)
    assert row.observed == pytest.approx(1 - 25 / 36, abs=1e-12)
    assert row.lower < row.observed < row.upper
    assert (row.band, row.n, row.predicted, row.reason) == (4, 12, 0.25, "")


def test_few_patients_and_short_follow_up_give_a_reason_not_a_number():
    few = observed_risk(make_outcome([1], [5]), np.array([0.2]), band=0, horizon=9)
    assert few.observed is None
    assert few.reason == f"fewer than {MINIMUM_PATIENTS} patients"
    short = observed_risk(
        make_outcome([1] + [0] * 11, range(1, 13)), np.full(12, 0.1), band=0, horizon=99
    )
    assert short.observed is None
    assert short.reason == "nobody is followed to this time"


def test_every_band_is_listed():
    y = make_outcome([1, 0], [1, 2])
    rows = risk_by_band(np.array([0, 2]), np.array([[0.1], [0.9]]), y, n_bands=4, horizons=(1.0,))
    assert [(row.band, row.n) for row in rows] == [(0, 1), (1, 0), (2, 1), (3, 0)]
    assert rows[1].predicted is None
    assert rows[1].reason == "no patients"


def test_bands_partition_the_patients(random_outcome):
    bands = np.arange(len(random_outcome)) % 5
    rows = risk_by_band(
        bands, np.full((len(bands), 2), 0.5), random_outcome, n_bands=5, horizons=(100.0, 500.0)
    )
    assert sum(row.n for row in rows if row.horizon == 100.0) == len(random_outcome)


def test_an_empty_band_lies_between_its_neighbours():
    rows = [
        ObservedRisk(0, 1.0, 5, 0.1, None, None, None, "few"),
        ObservedRisk(1, 1.0, 0, None, None, None, None, "no patients"),
        ObservedRisk(2, 1.0, 5, 0.4, None, None, None, "few"),
        ObservedRisk(3, 1.0, 0, None, None, None, None, "no patients"),
    ]
    # Halfway from 0.1 to 0.4; beyond the last band with patients as in that one.
    assert risk_of_bands(rows, n_bands=4, horizons=[1.0])[0] == pytest.approx([0.1, 0.25, 0.4, 0.4])
