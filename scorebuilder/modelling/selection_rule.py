"""What a choice between functions is made by, and what it leaves behind."""

from __future__ import annotations

from dataclasses import dataclass

from scipy.special import chdtrc

from scorebuilder.modelling.candidate_search import Candidate
from scorebuilder.modelling.fractional_polynomial import POWERS, Powers

CRITERIA = ("pvalue", "aic", "bic")
CONVENTIONS = ("mfp2", "mfp")


@dataclass(frozen=True)
class SelectionRule:
    """
    How the function of one variable is chosen.

    Attributes
    ----------
    max_df : int
        1 linear only, 2 up to FP1, 4 up to FP2, 6 FP3, 8 FP4.
    select_alpha, fp_alpha : float
        Levels of the test against the null, and of the tests between functions.
    keep : bool
        Whether the variable stays whatever the tests say.
    powers : tuple of float
        Powers allowed.
    criterion : {"pvalue", "aic", "bic"}
        Closed test, or smallest information criterion.
    convention : {"mfp2", "mfp"}
        ``"mfp2"`` looks for the best FP1 among the non-linear powers and rejects for P < level;
        ``"mfp"`` uses all powers and rejects for P <= level.
    n_events : int
        For the penalty log(events) of the BIC.
    """

    max_df: int = 4
    select_alpha: float = 0.05
    fp_alpha: float = 0.05
    keep: bool = False
    powers: Powers = POWERS
    criterion: str = "pvalue"
    convention: str = "mfp2"
    n_events: int = 1

    @property
    def max_degree(self) -> int:
        """Degree of the most complex function; 0 for linear only."""
        return self.max_df // 2


@dataclass(frozen=True)
class FunctionTest:
    """
    One comparison of two functions of a variable.

    Attributes
    ----------
    test : str
        For example ``"FP2 vs null"``.
    simple_deviance, complex_deviance : float
        Minus twice the log partial likelihood of both models.
    chisq : float
        Difference of the deviances.
    df : int
        Degrees of freedom, searched powers included.
    p : float or None
        Upper tail of the chi-square distribution; None for information criteria.
    criterion : float or None
        AIC or BIC of the more complex model; None for the closed test.
    decision : str
        What followed, in words.
    """

    test: str
    simple_deviance: float
    complex_deviance: float
    chisq: float
    df: int
    p: float | None
    criterion: float | None
    decision: str


@dataclass(frozen=True)
class FPSelection:
    """
    The chosen function of one variable.

    Attributes
    ----------
    powers : tuple of float
        Empty when the variable is left out.
    deviance : float
        Of the model with this function.
    tests : tuple of FunctionTest
        The comparisons made, in order.
    best_powers : dict of str to tuple of float
        Best powers of each function fitted.
    shift, scale : float
        Applied before the powers.
    chosen : Candidate
        The fitted model.
    """

    powers: Powers
    deviance: float
    tests: tuple[FunctionTest, ...]
    best_powers: dict[str, Powers]
    shift: float
    scale: float
    chosen: Candidate


def likelihood_ratio_p(chisq: float, df: int) -> float:
    """
    Return the P value of a likelihood-ratio test.

    Parameters
    ----------
    chisq : float
        Difference of two deviances; negative differences count as 0.
    df : int
        Degrees of freedom; with 0 nothing is tested and P is 1.

    Returns
    -------
    float
        Upper tail of the chi-square distribution.
    """
    return float(chdtrc(df, max(chisq, 0.0))) if df > 0 else 1.0
