"""What all tests share: a fixed Hypothesis profile, small outcomes, the checkout, a browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from scorebuilder.core.arrays import Outcome
from scorebuilder.survival.outcome import make_outcome

settings.register_profile(
    "fixed",
    derandomize=True,
    deadline=None,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("fixed")


@pytest.fixture(scope="session")
def checkout() -> Path:
    """Folder of the checkout."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def reference_folder() -> Path:
    """Folder of the numbers from reference implementations."""
    return Path(__file__).resolve().parent / "reference"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium without a window, for the tests of one file."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.fail("the browser tests need `chromium` on the PATH; apt-get install -y chromium")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu"]
        )
        yield found
        found.close()


@pytest.fixture
def random_outcome() -> Outcome:
    """120 patients, about half of them censored, without ties."""
    random = np.random.default_rng(20260101)
    event_time, censoring = random.exponential(1000, 120), random.exponential(1000, 120)
    return make_outcome(event_time <= censoring, np.minimum(event_time, censoring))


@pytest.fixture(scope="session")
def small_score():
    """A score of the whas500 cohort, built once: cohort, builder and artifact."""
    from types import SimpleNamespace

    from scorebuilder.cohort.impute import CohortImputer
    from scorebuilder.cohort.load import load_cohort, load_dataset
    from scorebuilder.modelling.mfp import MFPCox
    from scorebuilder.score.builder import ScoreBuilder
    from scorebuilder.score.compose import compose_artifact
    from scorebuilder.selection.selector import RSFSelector

    _, schema = load_dataset("whas500")
    cohort = load_cohort("builtin:whas500", schema)
    selector = RSFSelector(n_estimators=30, rule="top_k", top_k=6, random_state=1)
    builder = ScoreBuilder(CohortImputer(), selector, MFPCox(), horizons=(365.25, 1095.75))
    builder.fit(cohort.X, cohort.y)
    artifact = compose_artifact(
        builder,
        cohort.X,
        schema,
        identity={
            "name": "whas-death",
            "version": "1.0.0",
            "status": "research",
            "title": "Death after myocardial infarction",
            "derived_from": None,
            "changelog": [{"version": "1.0.0", "change": "first"}],
        },
        meaning={
            "intended_use": "tests",
            "not_for": "patients",
            "population": "Worcester",
            "outcome": "death",
            "time_zero": "admission",
        },
    )
    return SimpleNamespace(cohort=cohort, schema=schema, builder=builder, artifact=artifact)
