from __future__ import annotations

import pytest

from scorebuilder.cohort.attrition import Attrition, AttritionStep


def test_numbers_that_add_up() -> None:
    flow = Attrition((AttritionStep("rows read", 0, 100, 20), AttritionStep("no time", 10, 90, 15)))
    assert (flow.n_read, flow.n_analysed) == (100, 90)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (AttritionStep("x", 10, 91, 15), "`x` does not add up: 100 patients with 20 events, 10"),
        (AttritionStep("x", 10, 90, 9), "`x` does not add up"),
        (AttritionStep("x", 10, 90, 21), "`x` does not add up"),
        (AttritionStep("x", -1, 101, 20), "a count below 0"),
        (AttritionStep("x", 90, 10, 11), "more events than patients"),
    ],
)
def test_numbers_that_do_not_add_up(step: AttritionStep, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Attrition((AttritionStep("rows read", 0, 100, 20), step))


def test_no_step() -> None:
    with pytest.raises(ValueError, match="at least one step"):
        Attrition(())
