"""The partial likelihood of a few columns: by hand, against another implementation, derivatives."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from scorebuilder.survival.outcome import make_outcome
from scorebuilder.validation.cox_few_columns import FewColumnCox


def patients(seed=0, n=80, columns=3):
    random = np.random.default_rng(seed)
    y = make_outcome(random.random(n) < 0.6, random.integers(1, 12, n))  # many ties
    return random.normal(size=(n, columns)), y, random.normal(size=n)


def test_by_hand():
    # x = 1, 0, 0; events at 1 (first) and 2 (second): log(e^b / (e^b + 2)) + log(1 / 2).
    model = FewColumnCox(np.array([[1.0], [0.0], [0.0]]), make_outcome([1, 1, 0], [1, 2, 3]))
    e = np.exp(0.7)
    assert model.loglike(np.array([0.7])) == pytest.approx(np.log(e / (e + 2)) - np.log(2))
    assert model.score(np.array([0.7])) == pytest.approx([1 - e / (e + 2)])
    assert model.hessian(np.array([0.7]))[0, 0] == pytest.approx(-e / (e + 2) * 2 / (e + 2))


def test_tied_events_by_hand():
    # Both events at 1, one patient later; Efron: (e + 2) for the first, (e + 2) - (e + 1)/2 next.
    model = FewColumnCox(np.array([[1.0], [0.0], [0.0]]), make_outcome([1, 1, 0], [1, 1, 3]))
    e = np.exp(0.5)
    expected = 0.5 - np.log(e + 2) - np.log(e + 2 - (e + 1) / 2)
    assert model.loglike(np.array([0.5])) == pytest.approx(expected)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_it_is_the_likelihood_of_another_implementation(ties):
    from statsmodels.duration.hazard_regression import PHReg

    X, y, offset = patients()
    ours = FewColumnCox(X, y, offset=offset, ties=ties)
    other = PHReg(y["time"], X, status=y["event"].astype(float), ties=ties, offset=offset)
    coefficient = np.array([0.3, -0.2, 0.5])
    constant = ours.loglike(np.zeros(3)) - other.loglike(np.zeros(3))
    assert ours.loglike(coefficient) - other.loglike(coefficient) == pytest.approx(constant)
    np.testing.assert_allclose(ours.score(coefficient), other.score(coefficient), rtol=1e-9)
    np.testing.assert_allclose(ours.hessian(coefficient), other.hessian(coefficient), rtol=1e-9)


def test_derivatives_by_finite_differences():
    X, y, offset = patients(seed=3)
    model, at = FewColumnCox(X, y, offset=offset), np.array([0.1, -0.4, 0.2])
    np.testing.assert_allclose(model.score(at), approx_fprime(at, model.loglike, 1e-6), atol=1e-4)
    np.testing.assert_allclose(model.hessian(at), approx_fprime(at, model.score, 1e-6), atol=1e-4)
