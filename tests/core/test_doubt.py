import warnings

import pytest

from scorebuilder.core.doubt import collected_doubts
from scorebuilder.core.errors import StatisticalWarning


def test_statistical_warnings_become_texts_each_once():
    with collected_doubts() as texts:
        for text in ("few events", "few events", "did not settle"):
            warnings.warn(text, StatisticalWarning, stacklevel=1)
    assert texts == ["few events", "did not settle"]


def test_other_warnings_pass():
    def body():
        with collected_doubts() as texts, warnings.catch_warnings():
            warnings.simplefilter("always", RuntimeWarning)
            warnings.warn("overflow", RuntimeWarning, stacklevel=1)
        assert texts == []

    with pytest.warns(RuntimeWarning, match="overflow"):
        body()
