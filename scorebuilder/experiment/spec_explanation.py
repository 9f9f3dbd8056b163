"""The part of an experiment spec that concerns the explanation of the forest."""

from __future__ import annotations

from pydantic import Field

from scorebuilder.experiment.spec_parts import SpecPart


class ExplanationSpec(SpecPart):
    """
    Agreement of both stages, and what few patients decide.

    The Shapley values of the forest are set beside the contributions of the score.

    Attributes
    ----------
    forest_shap : bool
        Whether they are compared.
    influence : bool
        Whether stage 2 is repeated without extreme and without influential patients: some ten
        refits of stage 2 for each variable of the score.
    n_explained, n_background : int
        Patients drawn to be explained, and to be compared with. Fewer are explained where the
        trees are many or deep: the work is limited to about 10 s of one core.
    """

    forest_shap: bool = True
    influence: bool = False
    n_explained: int = Field(default=200, ge=10)
    n_background: int = Field(default=100, ge=10)
