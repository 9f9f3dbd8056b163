"""The straight line in place of a function, against a fit of the same columns by lifelines."""

from __future__ import annotations

import pandas as pd
import pytest
from lifelines import CoxPHFitter

from scorebuilder.cohort.load import load_dataset
from scorebuilder.modelling import MFPCox
from scorebuilder.modelling.other_functions import OtherFunctions, linear_alternative
from scorebuilder.modelling.refit import Refitter
from scorebuilder.survival.outcome import make_outcome


def test_the_slope_is_that_of_the_variable_itself_beside_the_other_functions() -> None:
    frame, _ = load_dataset("smart")
    known = frame.dropna(subset=["age", "creat", "imt"])
    X = known[["age", "creat", "imt"]].astype(float).reset_index(drop=True)
    y = make_outcome(known["event"], known["time"])
    model = MFPCox().fit(X, y)
    assert model.powers_["creat"] != (1.0,), "the case needs a curve"
    others = pd.DataFrame(
        {
            f"t{k}": term.values(X[term.variable].to_numpy())
            for k, term in enumerate(model.terms_)
            if term.variable != "creat"
        }
    )
    data = others.assign(creat=X["creat"], time=y["time"], event=y["event"])
    oracle = CoxPHFitter().fit(data, "time", "event", fit_options={"precision": 1e-12})
    slope = linear_alternative(model, X, y, "creat")
    # Both maximise Efron's likelihood; lifelines stops at a relative change of the likelihood.
    assert slope == pytest.approx(oracle.params_["creat"], rel=1e-6)


def test_the_chosen_function_gives_the_fitted_model() -> None:
    frame, _ = load_dataset("whas500")
    X = frame[["age", "hr", "bmi"]].astype(float)
    y = make_outcome(frame["event"], frame["time"])
    model = MFPCox().fit(X, y)
    others = OtherFunctions.of(model, Refitter.like(model, X, y))
    name = model.selected_[0]
    again = others.fit(others.design(name, model.powers_[name]))
    assert again.log_likelihood_ == pytest.approx(model.log_likelihood_, abs=1e-9)
