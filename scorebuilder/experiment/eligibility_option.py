"""Criteria of eligibility given on the command line, in the words of a spec."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence

import yaml
from pydantic import ValidationError

from scorebuilder.core.errors import SpecError
from scorebuilder.experiment.load import rule_broken
from scorebuilder.experiment.spec_cohort import EligibilitySpec

_EXAMPLE = "column: age, min: 18, label: below 18 years"


def read_eligibility(texts: Sequence[str]) -> tuple[EligibilitySpec, ...]:
    """
    Read criteria such as ``column: age, min: 18, label: below 18 years``.

    Parameters
    ----------
    texts : sequence of str
        One criterion each, in YAML, with or without braces; the keys are those of `eligibility` in
        a spec.

    Returns
    -------
    tuple of EligibilitySpec
        In the same order.

    Raises
    ------
    SpecError
        Lists every problem at once.

    Examples
    --------
    >>> read_eligibility(["column: age, min: 18, label: below 18 years"])[0].min
    18
    """
    criteria, problems = [], []
    for text in texts:
        try:
            criteria.append(EligibilitySpec.model_validate(_content(text)))
        except ValidationError as error:
            problems += [f"--eligibility {text}: {problem}" for problem in _problems(error)]
        except yaml.YAMLError:
            problems.append(f"--eligibility {text}: must be a criterion such as `{_EXAMPLE}`")
    if problems:
        raise SpecError("\n".join(problems))
    return tuple(criteria)


def _content(text: str) -> object:
    inside = text.strip()
    return yaml.safe_load(inside if inside.startswith("{") else f"{{{inside}}}")


def _problems(error: ValidationError) -> Iterator[str]:
    known = list(EligibilitySpec.model_fields)
    for item in error.errors(include_url=False):
        key = str(item["loc"][0])
        if item["type"] == "extra_forbidden":
            near = difflib.get_close_matches(key, known, n=1)
            meant = f"did you mean `{near[0]}`?" if near else f"known: {', '.join(known)}"
            yield f"`{key}` is an unknown key; {meant}"
        else:
            yield f"`{key}` {rule_broken(item)}"
