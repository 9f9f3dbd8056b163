"""How many patients a prognostic model needs: the criteria of Riley and colleagues."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.core.normal import Z_95

SHRINKAGE = 0.9
OPTIMISM = 0.05
MARGIN = 0.05
USUAL_SHARE = 0.15
"""Part of the largest possible R2 that is expected of a model when nothing is known of it."""


@dataclass(frozen=True)
class SampleSizeCriterion:
    """
    What one criterion asks for.

    Attributes
    ----------
    name : {"shrinkage", "optimism", "overall_risk"}
        Which one.
    n_patients : int
        Smallest number of patients that fulfils it.
    n_events : float
        Events expected among them.
    events_per_parameter : float
        The same for each candidate parameter.
    """

    name: str
    n_patients: int
    n_events: float
    events_per_parameter: float


@dataclass(frozen=True)
class SampleSize:
    """
    The three criteria, and the largest of them.

    Attributes
    ----------
    criteria : tuple of SampleSizeCriterion
        In the order of the paper.
    n_patients : int
        The most that any criterion asks for.
    n_events, events_per_parameter : float
        Expected at that number.
    r2, max_r2 : float
        Cox-Snell R2 that is expected, and the largest possible with these events.
    """

    criteria: tuple[SampleSizeCriterion, ...]
    n_patients: int
    n_events: float
    events_per_parameter: float
    r2: float
    max_r2: float


def max_cox_snell(events_per_patient: float) -> float:
    r"""
    Largest Cox-Snell R2 that a perfect model could have.

    Parameters
    ----------
    events_per_patient : float
        Expected events divided by patients, > 0; event rate times mean follow-up.

    Returns
    -------
    float
        Below 1.

    Notes
    -----
    :math:`1 - \exp(2 \ln L_0 / n)` with the Poisson null model,
    :math:`\ln L_0 = E \ln(E / n) - E` [1]_. Written with events per patient it has no unit of time.
    Positive exponents occur above e events per patient, which no first event reaches.

    References
    ----------
    .. [1] Riley RD, et al. Minimum sample size for developing a multivariable prediction model:
       part II. Stat Med 2019;38:1276-96.

    Examples
    --------
    >>> round(max_cox_snell(0.065 * 2.07), 3)
    0.555
    """
    if not 0.0 < events_per_patient < math.e:
        message = f"`events_per_patient` must lie between 0 and e; got {events_per_patient}"
        raise ValueError(message)
    return -math.expm1(2.0 * events_per_patient * (math.log(events_per_patient) - 1.0))


def adjusted_cox_snell(likelihood_ratio: float, *, parameters: int, n_patients: int) -> float:
    r"""
    Cox-Snell R2 of a fitted model, corrected for the parameters that were tried.

    Parameters
    ----------
    likelihood_ratio : float
        Chi-squared of the model against none, >= 0.
    parameters : int
        Candidate parameters, also those not kept.
    n_patients : int
        Patients of the fit.

    Returns
    -------
    float
        In (0, 1).

    Raises
    ------
    UndefinedMetricError
        If the model explains no more than chance would with so many parameters.

    Notes
    -----
    :math:`S (1 - e^{-\mathrm{LR}/n})` with the shrinkage of van Houwelingen and le Cessie,
    :math:`S = 1 - p / \mathrm{LR}`. With the partial likelihood it stands for the R2 that the
    criteria are written for.

    Examples
    --------
    >>> round(adjusted_cox_snell(100.0, parameters=20, n_patients=1000), 4)
    0.0761
    """
    if likelihood_ratio <= parameters:
        message = (
            f"the model's chi-squared ({likelihood_ratio:.1f}) does not exceed the "
            f"{parameters} parameters that were tried"
        )
        raise UndefinedMetricError(message)
    shrinkage = 1.0 - parameters / likelihood_ratio
    return -shrinkage * math.expm1(-likelihood_ratio / n_patients)


def cox_snell_from_c_index(c_index: float, *, events_per_patient: float) -> float:
    r"""
    Cox-Snell R2 that goes with a published C-index.

    Parameters
    ----------
    c_index : float
        In [0.5, 1).
    events_per_patient : float
        Events divided by patients in the published cohort.

    Returns
    -------
    float
        In [0, 1).

    Notes
    -----
    :math:`D = 5.50 (C - 0.5) + 10.26 (C - 0.5)^3` [1]_;
    :math:`R^2_D = \frac{\pi}{8} D^2 / (\frac{\pi^2}{6} + \frac{\pi}{8} D^2)`;
    :math:`R^2_{OQ} = \frac{\pi^2}{6} R^2_D / (1 - (1 - \frac{\pi^2}{6}) R^2_D)`, explained
    variation per event; :math:`R^2_{CS} = 1 - (1 - R^2_{OQ})^{E/n}`. The first step is an
    empirical curve and good to a few per cent.

    References
    ----------
    .. [1] Jinks RC, Royston P, Parmar MKB. Discrimination-based sample size calculations for
       multivariable prognostic models for time-to-event data. BMC Med Res Methodol 2015;15:82.
    """
    if not 0.5 <= c_index < 1.0:
        message = f"`c_index` must lie in [0.5, 1); got {c_index}"
        raise ValueError(message)
    separation = 5.50 * (c_index - 0.5) + 10.26 * (c_index - 0.5) ** 3
    explained = math.pi / 8.0 * separation**2
    noise = math.pi**2 / 6.0
    r2_d = explained / (noise + explained)
    per_event = noise * r2_d / (1.0 - (1.0 - noise) * r2_d)
    return -math.expm1(events_per_patient * math.log1p(-per_event))


def riley_sample_size(
    parameters: int,
    *,
    rate: float,
    horizon: float,
    mean_follow_up: float,
    r2: float | None = None,
    shrinkage: float = SHRINKAGE,
    optimism: float = OPTIMISM,
    margin: float = MARGIN,
) -> SampleSize:
    r"""
    Smallest development cohort for a time-to-event model.

    Parameters
    ----------
    parameters : int
        Candidate parameters, >= 1: all that the modelling may use, not those that it keeps.
    rate : float
        Events per unit of follow-up, > 0.
    horizon : float
        Time at which the overall risk must be precise; same unit.
    mean_follow_up : float
        Same unit.
    r2 : float, optional
        Cox-Snell R2 expected of the model; `USUAL_SHARE` of the largest possible if not given.
    shrinkage : float
        Least uniform shrinkage that is accepted, in (0, 1).
    optimism : float
        Largest optimism of Nagelkerke's R2 that is accepted.
    margin : float
        Largest error of the overall risk at the horizon, as half of its 95 % interval.

    Returns
    -------
    SampleSize
        Each criterion and the largest.

    Raises
    ------
    ValueError
        If a number is outside its range.
    UndefinedMetricError
        If `r2` is more than these events allow.

    Notes
    -----
    [1]_ [2]_ With p parameters and :math:`R^2` the expected one,

    .. math:: n_1 = \frac{p}{(S - 1) \ln(1 - R^2 / S)}, \qquad
       n_2 = n_1 \text{ at } S = \frac{R^2}{R^2 + \delta \max R^2}

    and n_3 is where the lower limit of :math:`1 - e^{-\lambda t}`, the farther one, with
    :math:`\mathrm{var}(\lambda) = \lambda / (n \bar T)`, is `margin` away: the rate may then be
    wrong by :math:`\ln(1 + m e^{\lambda t}) / t`. Constant hazard is assumed for n_3.

    References
    ----------
    .. [1] Riley RD, et al. Stat Med 2019;38:1276-96.
    .. [2] Riley RD, et al. Calculating the sample size required for developing a clinical
       prediction model. BMJ 2020;368:m441.

    Examples
    --------
    >>> needed = riley_sample_size(30, rate=0.065, horizon=2, mean_follow_up=2.07, r2=0.051)
    >>> needed.n_patients, round(needed.n_events), round(needed.events_per_parameter, 2)
    (5143, 692, 23.07)
    """
    if parameters < 1 or min(rate, horizon, mean_follow_up, optimism, margin) <= 0.0:
        message = "`parameters`, `rate`, `horizon`, `mean_follow_up` and margins must be positive"
        raise ValueError(message)
    if not 0.0 < shrinkage < 1.0:
        message = f"`shrinkage` must lie between 0 and 1; got {shrinkage}"
        raise ValueError(message)
    events_per_patient = rate * mean_follow_up
    highest = max_cox_snell(events_per_patient)
    expected = USUAL_SHARE * highest if r2 is None else r2
    if expected <= 0.0:
        message = f"`r2` must be positive; got {expected:.4g}"
        raise ValueError(message)
    if expected >= min(highest, shrinkage):
        message = (
            f"an R2 of {expected:.3f} is more than these events allow "
            f"({min(highest, shrinkage):.3f})"
        )
        raise UndefinedMetricError(message)
    allowed = math.log1p(margin * math.exp(rate * horizon)) / horizon
    needed = {
        "shrinkage": _for_shrinkage(parameters, expected, shrinkage),
        "optimism": _for_shrinkage(
            parameters, expected, expected / (expected + optimism * highest)
        ),
        "overall_risk": Z_95**2 * rate / (mean_follow_up * allowed**2),
    }
    criteria = tuple(
        SampleSizeCriterion(
            name,
            math.ceil(size),
            math.ceil(size) * events_per_patient,
            math.ceil(size) * events_per_patient / parameters,
        )
        for name, size in needed.items()
    )
    most = max(criteria, key=lambda criterion: criterion.n_patients)
    return SampleSize(
        criteria, most.n_patients, most.n_events, most.events_per_parameter, expected, highest
    )


def _for_shrinkage(parameters: int, r2: float, shrinkage: float) -> float:
    return parameters / ((shrinkage - 1.0) * math.log1p(-r2 / shrinkage))
