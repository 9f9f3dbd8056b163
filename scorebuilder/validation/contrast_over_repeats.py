"""A contrast of two models, taken in every repeat of a cross-validation and averaged."""

from __future__ import annotations

from scorebuilder.core.arrays import FloatArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.validation.contrast import Contrast, ContrastEstimate, ContrastPart
from scorebuilder.validation.over_repeats import Estimate, RepeatEstimate, average_over_repeats


def contrast_over_repeats(
    contrast: Contrast, y: Outcome, new: FloatArray, old: FloatArray, *, horizon: float
) -> dict[str, Estimate]:
    """
    Average a contrast, and each of its parts, over the repeats.

    Parameters
    ----------
    contrast : Contrast
        Of `CONTRASTS`.
    y : structured ndarray of shape (n_patients,)
        Outcome.
    new, old : ndarray of shape (n_repeats, n_patients)
        Out-of-fold risks of both models.
    horizon : float
        In the unit of `y`.

    Returns
    -------
    dict of str to Estimate
        The contrast itself under ``""`` and its parts by name; all patients of a repeat are judged
        together. A number that is undefined in one repeat is undefined, with the reason.
    """
    try:
        found = [
            contrast.function(y, new[repeat], old[repeat], horizon=horizon)
            for repeat in range(new.shape[0])
        ]
    except UndefinedMetricError as error:
        return {"": Estimate(reason=str(error))}
    limits = (contrast.lowest, contrast.highest)
    averaged = {"": _average(found, with_p=True, limits=limits)}
    for part in found[0].parts:
        pieces = [estimate.part(part.name) for estimate in found]
        averaged[part.name] = _average(pieces, with_p=False, limits=limits)
    return averaged


def _average(
    pieces: list[ContrastEstimate] | list[ContrastPart],
    *,
    with_p: bool,
    limits: tuple[float, float],
) -> Estimate:
    def of_repeat(repeat: int) -> RepeatEstimate:
        piece = pieces[repeat]
        if piece.value is None:
            raise UndefinedMetricError(piece.reason or "not defined")
        return RepeatEstimate(piece.value, piece.influence, piece.standard_error)

    return average_over_repeats(of_repeat, len(pieces), with_p=with_p, limits=limits)
