"""SCORE2, 2021: fatal and non-fatal cardiovascular disease in Europe, by risk region."""

from __future__ import annotations

from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from scorebuilder.core.arrays import FloatArray
from scorebuilder.core.units import DAYS_PER_YEAR
from scorebuilder.validation.baseline import BASELINES, Baseline
from scorebuilder.validation.baseline_input import BaselineInput

REGIONS = ("low", "moderate", "high", "very_high")

COEFFICIENTS = MappingProxyType(
    {
        "female": {
            "age": 0.4648,
            "smoker": 0.7744,
            "sbp": 0.3131,
            "total_cholesterol": 0.1002,
            "hdl": -0.2606,
            "age_smoker": -0.1088,
            "age_sbp": -0.0277,
            "age_total_cholesterol": -0.0226,
            "age_hdl": 0.0613,
            "baseline_survival": 0.9776,
        },
        "male": {
            "age": 0.3742,
            "smoker": 0.6012,
            "sbp": 0.2777,
            "total_cholesterol": 0.1458,
            "hdl": -0.2698,
            "age_smoker": -0.0755,
            "age_sbp": -0.0255,
            "age_total_cholesterol": -0.0281,
            "age_hdl": 0.0426,
            "baseline_survival": 0.9605,
        },
    }
)
"""Published coefficients and uncalibrated 10-year baseline survival by sex."""

SCALES = MappingProxyType(
    {
        ("female", "low"): (-0.7380, 0.7019),
        ("female", "moderate"): (-0.3143, 0.7701),
        ("female", "high"): (0.5710, 0.9369),
        ("female", "very_high"): (0.9412, 0.8329),
        ("male", "low"): (-0.5699, 0.7476),
        ("male", "moderate"): (-0.1565, 0.8009),
        ("male", "high"): (0.3207, 0.9360),
        ("male", "very_high"): (0.5836, 0.8294),
    }
)
"""Regional recalibration (scale1, scale2) as printed."""

SCALES_6DP = MappingProxyType(
    {
        ("female", "low"): (-0.737966, 0.701868),
        ("female", "moderate"): (-0.314269, 0.770149),
        ("female", "high"): (0.570963, 0.936893),
        ("female", "very_high"): (0.941177, 0.832923),
        ("male", "low"): (-0.569857, 0.747593),
        ("male", "moderate"): (-0.156481, 0.800869),
        ("male", "high"): (0.320717, 0.936004),
        ("male", "very_high"): (0.583578, 0.829368),
    }
)
"""The same with the six decimals of the authors' own program."""


def score2(inputs: pd.DataFrame, *, scales: Any = SCALES) -> FloatArray:
    r"""
    Risk of fatal or non-fatal cardiovascular disease within 10 years.

    Parameters
    ----------
    inputs : DataFrame
        Validated inputs; cholesterol in mmol/L.
    scales : mapping
        (sex, region) -> (scale1, scale2).

    Returns
    -------
    ndarray of shape (n_patients,)
        Risk in [0, 1].

    Notes
    -----
    With a = (age - 60)/5, s = (SBP - 120)/20, c = TC - 6, h = (HDL - 1.3)/0.5 in the linear
    predictor L,

    .. math:: 1 - \exp(-\exp(\text{scale}_1 + \text{scale}_2 (\ln(-\ln S_0) + L)))

    References
    ----------
    .. [1] SCORE2 working group and ESC Cardiovascular risk collaboration. Eur Heart J
       2021;42:2439-54.
    """
    b = {
        name: inputs["sex"].map({sex: table[name] for sex, table in COEFFICIENTS.items()})
        for name in COEFFICIENTS["female"]
    }
    age = (inputs["age_years"] - 60.0) / 5.0
    sbp = (inputs["sbp_mmhg"] - 120.0) / 20.0
    total_cholesterol = inputs["total_cholesterol_mmol_l"] - 6.0
    hdl = (inputs["hdl_mmol_l"] - 1.3) / 0.5
    smoker = inputs["current_smoker"]
    linear_predictor = (
        b["age"] * age
        + (b["smoker"] + b["age_smoker"] * age) * smoker
        + (b["sbp"] + b["age_sbp"] * age) * sbp
        + (b["total_cholesterol"] + b["age_total_cholesterol"] * age) * total_cholesterol
        + (b["hdl"] + b["age_hdl"] * age) * hdl
    )
    uncalibrated = np.log(-np.log(b["baseline_survival"])) + linear_predictor
    keys = list(zip(inputs["sex"], inputs["region"], strict=True))
    scale1 = np.array([scales[key][0] for key in keys])
    scale2 = np.array([scales[key][1] for key in keys])
    return np.asarray(
        -np.expm1(-np.exp(scale1 + scale2 * uncalibrated.to_numpy())), dtype=np.float64
    )


BASELINES.register(
    "score2",
    Baseline(
        name="score2",
        label="SCORE2",
        outcome=(
            "first fatal or non-fatal cardiovascular event: cardiovascular death, myocardial "
            "infarction, stroke"
        ),
        horizon=10 * DAYS_PER_YEAR,
        population="age 40-69 years, without cardiovascular disease and without diabetes, Europe",
        inputs=(
            BaselineInput(
                "region",
                "region",
                "ESC risk region (2021)",
                "category",
                levels=REGIONS,
                setting=True,
            ),
            BaselineInput("sex", "sex", "Sex", "category", levels=("female", "male")),
            BaselineInput(
                "age_years",
                "age",
                "Age",
                "numeric",
                unit="a",
                hard_range=(40.0, 69.0),
                completed_units=True,
            ),
            BaselineInput("current_smoker", "current_smoker", "Smokes now", "binary"),
            BaselineInput(
                "sbp_mmhg",
                "sbp",
                "Systolic blood pressure",
                "numeric",
                unit="mm[Hg]",
                hard_range=(90.0, 200.0),
            ),
            BaselineInput(
                "total_cholesterol_mmol_l",
                "total_cholesterol",
                "Total cholesterol",
                "numeric",
                unit="mmol/L",
                analyte="cholesterol",
                hard_range=(3.0, 9.0),
            ),
            BaselineInput(
                "hdl_mmol_l",
                "hdl_cholesterol",
                "HDL cholesterol",
                "numeric",
                unit="mmol/L",
                analyte="cholesterol",
                hard_range=(0.7, 2.5),
            ),
            BaselineInput(
                "diabetes",
                "diabetes",
                "Diabetes",
                "binary",
                optional=True,
                excluded=((1.0, "diabetes: SCORE2-Diabetes applies"),),
            ),
        ),
        equation=score2,
        publication=(
            "SCORE2 working group and ESC Cardiovascular risk collaboration. "
            "Eur Heart J 2021;42:2439-2454"
        ),
        doi="10.1093/eurheartj/ehab309",
        licence_notice="Published equation; cite the publication.",
        misuse=(
            "Undefined for people with diabetes (SCORE2-Diabetes), from age 70 (SCORE2-OP), and "
            "not meant for patients with known cardiovascular disease, in whom its absolute risk "
            "does not apply and only its ranking can be judged. The risk region is that of the "
            "country where it is used."
        ),
        variants=MappingProxyType({"scales_6dp": partial(score2, scales=SCALES_6DP)}),
    ),
)
