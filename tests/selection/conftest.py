"""Simulated patients with two real effects and five columns of noise."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from scorebuilder.survival.outcome import make_outcome

NAMES = ["strong", "middling", "noise_1", "noise_2", "noise_3", "coin", "levels"]


def simulate(n_patients: int, seed: int):
    random = np.random.default_rng(seed)
    X = pd.DataFrame(random.normal(size=(n_patients, 7)), columns=NAMES)
    X["coin"] = (X["coin"] > 0).astype(float)
    X["levels"] = np.floor(X["levels"].abs() * 2)
    hazard = np.exp(1.2 * X["strong"] + 0.6 * X["middling"])
    time = random.exponential(10 / hazard) + 0.01
    censoring = random.uniform(0.1, 15, n_patients)
    return X, make_outcome(time <= censoring, np.minimum(time, censoring))


@pytest.fixture(scope="session")
def patients():
    return simulate(300, 1)
