"""Where a run is indexed: the addresses that a spec may state."""

import pytest
from pydantic import ValidationError

from scorebuilder.experiment.spec import TrackingSpec


@pytest.mark.parametrize(
    "address",
    [
        "sqlite:///reports/mlflow.db",
        "https://mlflow.example.org:5000",
        "postgresql+psycopg://me@host/index",
        "postgresql+psycopg://me@/index?host=/run/postgresql",
    ],
)
def test_stores_without_password_are_taken(address):
    assert TrackingSpec(mlflow=address, artifacts="files").mlflow == address


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("file:///mlruns", "must start with sqlite:///, postgresql"),
        ("postgresql://host/index", "must start with sqlite:///, postgresql"),
        ("http://me:word@host", "MLFLOW_TRACKING_USERNAME"),
        ("postgresql+psycopg://me:word@host/index", "PGPASSWORD"),
        ("postgresql+psycopg://host/index?sslpassword=word", "PGPASSWORD"),
    ],
)
def test_others_are_refused(address, message):
    with pytest.raises(ValidationError, match=message):
        TrackingSpec(mlflow=address)
