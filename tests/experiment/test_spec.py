"""The spec is frozen, hashes the same for the same study, and describes itself to editors."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from scorebuilder.core.errors import SpecError
from scorebuilder.experiment.spec import (
    ExperimentSpec,
    spec_content,
    spec_json_schema,
    spec_sha256,
)
from scorebuilder.experiment.spec_cohort import CandidatesSpec

ROOT = Path(__file__).parents[2]
CONTENT = {
    "name": "tiny-score",
    "title": "Tiny",
    "cohort": {"data": "builtin:smart"},
    "outcome": {"horizons": ["36mo", "5y"]},
    "score": {"risk_groups": [3, 6]},
    "baselines": ["score2", {"name": "score2", "variant": "x", "assume": {"bp_treated": 1}}],
}


def spec(**changes):
    return ExperimentSpec.model_validate({**CONTENT, **changes})


def test_spec_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        spec().seed = 1


def test_content_is_read_again_as_the_same_spec():
    content = json.loads(json.dumps(spec_content(spec())))
    assert content["outcome"]["horizons"] == ["3y", "5y"]
    assert ExperimentSpec.model_validate(content) == spec()


def test_hash_names_the_study_and_not_its_record():
    same = spec(outcome={"horizons": ["3y", "60mo"]}, tracking={"mlflow": "sqlite:///a.db"})
    assert spec_sha256(same) == spec_sha256(spec())
    assert spec_sha256(spec(seed=2)) != spec_sha256(spec())
    assert len(spec_sha256(spec())) == 64


def test_whole_number_and_decimal_of_the_same_value_hash_the_same():
    assert spec_sha256(spec(model={"fp_alpha": 1})) == spec_sha256(spec(model={"fp_alpha": 1.0}))


def test_candidates_follow_the_order_of_the_schema():
    names = ["age", "sex", "sbp", "ldl"]
    assert CandidatesSpec().choose(names) == tuple(names)
    assert CandidatesSpec(ban=("sex",)).choose(names) == ("age", "sbp", "ldl")
    grouped = CandidatesSpec(groups={"lab": ("ldl",), "clinical": ("sex", "age")}, ban=("sex",))
    assert grouped.choose(names) == ("age", "ldl")


def test_candidates_that_do_not_exist_are_named():
    with pytest.raises(SpecError, match=r"no predictor of the schema: agee, sx\."):
        CandidatesSpec(keep=("agee",), ban=("sx",)).choose(["age", "sex"])


def test_candidates_must_leave_someone():
    with pytest.raises(SpecError, match="leaves no predictor"):
        CandidatesSpec(ban=("age",)).choose(["age"])


def test_schema_for_editors_is_current():
    stored = json.loads((ROOT / "experiments/_meta/spec.schema.json").read_text(encoding="utf-8"))
    command = "python -m scorebuilder.experiment.write_schema experiments/_meta/spec.schema.json"
    assert stored == spec_json_schema(), f"run `{command}`"


def test_schema_for_editors_accepts_the_studies_of_the_package():
    import jsonschema
    import yaml

    validator = jsonschema.Draft7Validator(spec_json_schema())
    for path in sorted((ROOT / "experiments").glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        assert text.startswith("# yaml-language-server: $schema=_meta/spec.schema.json\n")
        assert not list(validator.iter_errors(yaml.safe_load(text)))
    wrong = {**CONTENT, "fold": 1, "outcome": {"horizons": [5]}}
    assert len(list(validator.iter_errors(wrong))) == 2


def test_choices_are_those_that_exist():
    from scorebuilder.selection.engine import ENGINES
    from scorebuilder.selection.rule import RULES

    selection = spec_json_schema()["$defs"]["SelectionSpec"]["properties"]
    assert sorted(selection["engine"]["enum"]) == sorted(ENGINES)
    assert sorted(selection["rule"]["enum"]) == sorted(RULES)


def test_a_registered_rule_is_accepted(monkeypatch):
    from scorebuilder.selection.rule import RULES

    list(RULES)
    monkeypatch.setitem(RULES._items, "by_hand", RULES["all"])
    spec = ExperimentSpec.model_validate({**CONTENT, "selection": {"rule": "by_hand"}})
    assert spec.selection.rule == "by_hand"


def test_reading_a_spec_loads_no_engine():
    content = {**CONTENT, "selection": {"rule": "all", "engine": "native"}}
    code = (
        "import sys; from scorebuilder.experiment.spec import ExperimentSpec, spec_json_schema; "
        f"ExperimentSpec.model_validate({content!r}); spec_json_schema(); "
        "sys.exit(bool({'sksurv', 'sklearn', 'numba', 'pandas'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
