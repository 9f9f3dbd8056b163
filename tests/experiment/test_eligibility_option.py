"""Criteria of eligibility on the command line: those of a spec, with all problems at once."""

from __future__ import annotations

import pytest

from scorebuilder.core.errors import SpecError
from scorebuilder.experiment.eligibility_option import read_eligibility
from scorebuilder.experiment.spec_cohort import EligibilitySpec


def test_a_criterion_is_that_of_a_spec():
    one, two = read_eligibility(
        ["column: age, min: 18, max: 80.5, label: 'outside 18-80'",
         "{column: meno, levels: ['1'], label: before the menopause}"]
    )  # fmt: skip
    assert one == EligibilitySpec(column="age", min=18, max=80.5, label="outside 18-80")
    assert two == EligibilitySpec(column="meno", levels=("1",), label="before the menopause")
    assert read_eligibility([]) == ()


def test_all_problems_are_named_at_once():
    texts = ["column: age, mim: 18, label: young", "age >= 18", "column: a, min: x, label: y",
             "column: age: 3"]  # fmt: skip
    with pytest.raises(SpecError) as refused:
        read_eligibility(texts)
    lines = str(refused.value).splitlines()
    assert lines[0] == f"--eligibility {texts[0]}: `mim` is an unknown key; did you mean `min`?"
    assert "--eligibility age >= 18: `column` is required" in lines
    assert any("`min` must be a" in line for line in lines)
    assert lines[-1] == (
        "--eligibility column: age: 3: must be a criterion such as "
        "`column: age, min: 18, label: below 18 years`"
    )
