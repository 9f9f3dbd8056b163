"""Framingham general cardiovascular disease, 2008, with laboratory lipids."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import pandas as pd

from scorebuilder.core.arrays import FloatArray
from scorebuilder.core.units import DAYS_PER_YEAR
from scorebuilder.validation.baseline import BASELINES, Baseline
from scorebuilder.validation.baseline_input import BaselineInput

COEFFICIENTS = MappingProxyType(
    {
        "female": {
            "age": 2.32888,
            "total_cholesterol": 1.20904,
            "hdl": -0.70833,
            "sbp_untreated": 2.76157,
            "sbp_treated": 2.82263,
            "smoker": 0.52873,
            "diabetes": 0.69154,
            "mean": 26.1931,
            "baseline_survival": 0.95012,
        },
        "male": {
            "age": 3.06117,
            "total_cholesterol": 1.1237,
            "hdl": -0.93263,
            "sbp_untreated": 1.93303,
            "sbp_treated": 1.99881,
            "smoker": 0.65451,
            "diabetes": 0.57367,
            "mean": 23.9802,
            "baseline_survival": 0.88936,
        },
    }
)
"""Published coefficients, mean linear predictor and 10-year baseline survival by sex."""


def framingham_cvd_2008_lipids(inputs: pd.DataFrame) -> FloatArray:
    r"""
    Risk of a first cardiovascular event within 10 years.

    Parameters
    ----------
    inputs : DataFrame
        Validated inputs; cholesterol in mg/dL.

    Returns
    -------
    ndarray of shape (n_patients,)
        Risk in [0, 1], without the limits that some calculators put on it.

    Notes
    -----
    .. math:: 1 - S_0^{\exp(\sum_j \beta_j \ln x_j + \ldots - \bar L)}

    with separate coefficients of log systolic pressure with and without treatment.

    References
    ----------
    .. [1] D'Agostino RB Sr, et al. General cardiovascular risk profile for use in primary care.
       Circulation 2008;117:743-53.
    """
    term = {
        name: inputs["sex"].map({sex: table[name] for sex, table in COEFFICIENTS.items()})
        for name in COEFFICIENTS["female"]
    }
    sbp = np.where(inputs["bp_treated"] == 1, term["sbp_treated"], term["sbp_untreated"])
    linear_predictor = (
        term["age"] * np.log(inputs["age_years"])
        + term["total_cholesterol"] * np.log(inputs["total_cholesterol_mg_dl"])
        + term["hdl"] * np.log(inputs["hdl_mg_dl"])
        + sbp * np.log(inputs["sbp_mmhg"])
        + term["smoker"] * inputs["current_smoker"]
        + term["diabetes"] * inputs["diabetes"]
    )
    log_survival = np.log(term["baseline_survival"]) * np.exp(linear_predictor - term["mean"])
    return np.asarray(-np.expm1(log_survival), dtype=np.float64)


BASELINES.register(
    "framingham_cvd_2008_lipids",
    Baseline(
        name="framingham_cvd_2008_lipids",
        label="Framingham general CVD 2008 (lipids)",
        outcome=(
            "first cardiovascular event: coronary death, myocardial infarction, coronary "
            "insufficiency, angina, stroke, transient ischaemic attack, peripheral artery "
            "disease, heart failure"
        ),
        horizon=10 * DAYS_PER_YEAR,
        population="age 30-74 years, free of cardiovascular disease",
        inputs=(
            BaselineInput("sex", "sex", "Sex", "category", levels=("female", "male")),
            BaselineInput(
                "age_years",
                "age",
                "Age",
                "numeric",
                unit="a",
                hard_range=(30.0, 74.0),
                completed_units=True,
            ),
            BaselineInput(
                "total_cholesterol_mg_dl",
                "total_cholesterol",
                "Total cholesterol",
                "numeric",
                unit="mg/dL",
                analyte="cholesterol",
                hard_range=(100.0, 405.0),
            ),
            BaselineInput(
                "hdl_mg_dl",
                "hdl_cholesterol",
                "HDL cholesterol",
                "numeric",
                unit="mg/dL",
                analyte="cholesterol",
                hard_range=(10.0, 100.0),
            ),
            BaselineInput(
                "sbp_mmhg",
                "sbp",
                "Systolic blood pressure",
                "numeric",
                unit="mm[Hg]",
                hard_range=(90.0, 200.0),
            ),
            BaselineInput("bp_treated", "bp_treated", "Treated for hypertension", "binary"),
            BaselineInput("current_smoker", "current_smoker", "Smokes now", "binary"),
            BaselineInput("diabetes", "diabetes", "Diabetes", "binary"),
        ),
        equation=framingham_cvd_2008_lipids,
        publication=(
            "D'Agostino RB Sr, Vasan RS, Pencina MJ, Wolf PA, Cobain M, Massaro JM, Kannel WB. "
            "Circulation 2008;117:743-753"
        ),
        doi="10.1161/CIRCULATIONAHA.107.699579",
        licence_notice="Published equation; cite the publication.",
        misuse=(
            "Derived in people free of cardiovascular disease, for a broad outcome that includes "
            "angina and heart failure: in patients with known disease, or for another outcome, "
            "its absolute risk does not apply and only its ranking can be judged. The equation "
            "has no lower or upper limit; calculators that cap it at 30 % differ."
        ),
    ),
)
