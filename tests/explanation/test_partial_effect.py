import numpy as np
import pytest

from scorebuilder.explanation.equation import equation_lines, power_text
from scorebuilder.explanation.partial_effect import coefficient_covariance, partial_effect
from scorebuilder.score.apply import contributions, fill_missing


def test_effect_is_the_difference_of_contributions(small_score):
    artifact, builder = small_score.artifact, small_score.builder
    filled, _, _ = fill_missing(artifact, small_score.cohort.X.head(5))
    parts = contributions(artifact, filled)
    for name in builder.kept_:
        values = filled[name].astype(object).tolist()
        effect = partial_effect(builder, name, values, reference=values[0])
        np.testing.assert_allclose(
            effect["log_hazard_ratio"], parts[name] - parts[name].iloc[0], atol=1e-10
        )
        assert effect["standard_error"].iloc[0] == 0.0
        assert np.all(effect["lower"] <= effect["log_hazard_ratio"])


def test_band_of_a_two_level_factor_by_hand(small_score):
    # A single indicator: the log hazard ratio is its coefficient, its error the root of the
    # variance.
    builder, artifact = small_score.builder, small_score.artifact
    terms = artifact.scoring["terms"]
    k, term = next((k, t) for k, t in enumerate(terms) if t["kind"] == "indicator")
    error = np.sqrt(coefficient_covariance(builder)[k, k])
    codes = list(small_score.cohort.X[term["predictor"]].cat.categories)
    effect = partial_effect(builder, term["predictor"], codes[1:], reference=codes[0]).iloc[0]
    assert effect["log_hazard_ratio"] == pytest.approx(term["coefficient"], rel=1e-12)
    assert effect["upper"] == pytest.approx(term["coefficient"] + 1.959963984540054 * error)


def test_dropped_variables_have_no_effect(small_score):
    with pytest.raises(ValueError, match="not in the model"):
        partial_effect(small_score.builder, "no such", [1.0], reference=0.0)


def test_the_printed_equation_computes_the_score(small_score):
    # Evaluate the printed lines as a reader would, for one patient.
    artifact = small_score.artifact
    filled, _, _ = fill_missing(artifact, small_score.cohort.X.head(1))
    labels = {p["id"]: {lv["code"]: lv["label"] for lv in p["levels"]} for p in
              artifact.scoring["predictors"]}  # fmt: skip
    names = {name: float(filled[name].iloc[0]) for name in artifact.predictors if not labels[name]}
    total = 0.0
    for line in equation_lines(artifact)[1:]:
        if line.startswith("risk"):
            break
        if "[" in line:
            coefficient, rest = line.strip().split(" * ", 1)
            name, shown = rest.strip("[]").split(" = ")
            is_so = labels[name][filled[name].iloc[0]] in shown.split(" or ")
            total += float(coefficient) * is_so
        else:
            text = line.strip().replace("^", "**").replace("ln(", "np.log(")
            total += eval(text, {"np": np, **names})
    assert total == pytest.approx(
        float(small_score.builder.predict(small_score.cohort.X.head(1))[0]), abs=1e-12
    )


@pytest.mark.parametrize(
    ("power", "log_factor", "text"),
    [(1, 0, "x"), (0, 1, "ln(x)"), (0, 2, "ln(x)^2"), (-0.5, 0, "x^-0.5"), (3, 1, "x^3 * ln(x)")],
)
def test_powers_in_words(power, log_factor, text):
    assert power_text("x", power, log_factor) == text
