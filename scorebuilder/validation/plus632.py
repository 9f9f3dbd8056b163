"""The .632+ estimate: apparent and out-of-bag performance, weighed by how much is overfitting."""

from __future__ import annotations


def plus632(
    apparent: float, out_of_bag: float, no_information: float, *, greater_is_better: bool
) -> tuple[float, float]:
    r"""
    Weigh apparent against out-of-bag performance.

    Parameters
    ----------
    apparent : float
        On the patients of the fit.
    out_of_bag : float
        On patients that bootstrap fits have not seen.
    no_information : float
        Expected if outcomes were unrelated to predictions.
    greater_is_better : bool
        Direction of the measure.

    Returns
    -------
    overfitting : float
        Relative overfitting rate R in [0, 1].
    value : float
        The .632+ estimate, between `apparent` and `out_of_bag`; never worse than no information
        if `apparent` is better than that.

    Notes
    -----
    .. math:: R = \frac{\theta_{app} - \theta_{oob}}{\theta_{app} - \gamma}, \quad
       w = \frac{0.632}{1 - 0.368 R}, \quad (1 - w)\, \theta_{app} + w\, \theta_{oob}

    R is 0 where the out-of-bag performance is no worse than the apparent one, or the apparent
    one no better than :math:`\gamma`; :math:`\theta_{oob}` is taken as no worse than
    :math:`\gamma`. [1]_

    References
    ----------
    .. [1] Efron B, Tibshirani R. Improvements on cross-validation: the .632+ bootstrap method.
       J Am Stat Assoc 1997;92:548-60.

    Examples
    --------
    An AUC of 0.9 that falls halfway to chance out of bag: R = 0.5, w = 0.632 / 0.816.

    >>> overfitting, value = plus632(0.9, 0.7, 0.5, greater_is_better=True)
    >>> round(overfitting, 12), round(value, 6)
    (0.5, 0.745098)
    """
    sign = 1.0 if greater_is_better else -1.0
    above, chance = sign * apparent, sign * no_information
    unseen = max(sign * out_of_bag, chance) if above > chance else sign * out_of_bag
    overfitting = 0.0
    if above > chance and above > unseen:
        overfitting = (above - unseen) / (above - chance)
    weight = 0.632 / (1.0 - 0.368 * overfitting)
    return overfitting, sign * ((1.0 - weight) * above + weight * unseen)
