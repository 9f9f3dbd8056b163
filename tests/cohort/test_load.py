from __future__ import annotations

import gzip
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from scorebuilder.cohort.load import (
    BUILTIN,
    load_cohort,
    load_dataset,
    load_schema,
    prepare_predictors,
    read_table,
)
from scorebuilder.cohort.schema import CohortSchema
from scorebuilder.cohort.schema_file import parse_schema
from scorebuilder.core.errors import CohortError, MissingPartError, SpecError

COUNTS = {
    "smart": (3873, 460, 26),
    "rotterdam": (2982, 1472, 9),
    "gbsg": (686, 299, 8),
    "whas500": (500, 215, 13),
}
HASHES = {
    "smart": "3a43e37951123c35cfda07280ea76c9e1c199954f3376356c484348dc31ea210",
    "rotterdam": "8fc7bd785a2bf555b65ae0e75db98113655e56f9dd0ad5469f06749147010027",
    "gbsg": "6e2e510104830891758c16e9a8460cad87ec61cb08f694f1531aeddf54f7bce3",
    "whas500": "dedf0b8857b0832a5957cb9aac02f1a8e788129f4ec7dd4dedc33730a97a3a05",
}
"""A changed hash means changed data, or changed rules of hashing: earlier runs then differ."""


@pytest.mark.parametrize("name", BUILTIN)
def test_builtin_cohort(name: str) -> None:
    cohort = load_cohort(f"builtin:{name}", load_schema(f"builtin:{name}"))
    rows, events, candidates = COUNTS[name]
    assert (len(cohort.X), int(cohort.y["event"].sum()), cohort.X.shape[1]) == COUNTS[name]
    assert cohort.attrition.n_read == cohort.attrition.n_analysed == rows == len(cohort.y)
    assert cohort.ignored_columns == ()
    assert len(cohort.schema.predictors) == candidates
    assert sum(len(group) for group in cohort.schema.groups.values()) == candidates
    assert cohort.data_sha256 == HASHES[name]
    assert events == cohort.attrition.steps[-1].events_left


@pytest.mark.parametrize("name", BUILTIN)
def test_dataset_frame_prepares_to_the_same_predictors(name: str) -> None:
    frame, schema = load_dataset(name)
    X = load_cohort(f"builtin:{name}", schema).X
    pd.testing.assert_frame_equal(prepare_predictors(frame, schema.predictors), X)


@pytest.mark.parametrize("name", BUILTIN)
def test_soft_ranges_lie_within_hard_ones_and_hold_most_patients(name: str) -> None:
    X = load_cohort(f"builtin:{name}", load_schema(name)).X
    for field in load_schema(name).predictors:
        if field.kind != "numeric":
            continue
        (hard_min, hard_max), (soft_min, soft_max) = field.hard_range, field.soft_range
        assert hard_min is not None
        assert hard_max is not None
        assert soft_min is not None
        assert soft_max is not None
        assert hard_min <= soft_min < soft_max < hard_max
        known = X[field.name].dropna()
        assert known.between(soft_min, soft_max).mean() > 0.97


def test_smart_by_its_published_description() -> None:
    """Counts as in the R package hdnom's manual and in SurvSet's table of data sets."""
    frame, schema = load_dataset("smart")
    assert frame["sex"].value_counts().to_dict() == {"1": 2897, "2": 976}
    assert frame["albumin"].value_counts().to_dict() == {"1": 2897, "2": 655, "3": 114}
    assert frame["smoking"].isna().sum() == 25
    assert frame["creat"].median() == 89.0
    assert {name: len(group) for name, group in schema.groups.items()} == {
        "clinical": 16, "laboratory": 8, "imaging": 2,
    }  # fmt: skip
    assert schema.groups["imaging"] == ("imt", "stenosis")
    assert schema.baseline_inputs["sex"] == {
        "column": "sex", "levels": {"1": "male", "2": "female"},
    }  # fmt: skip
    assert schema.baseline_inputs["current_smoker"]["levels"] == {"1": 0, "2": 0, "3": 1}
    assert schema.baseline_inputs["sbp"] == {"column": "systbp", "otherwise": "systh"}
    assert "bp_treated" not in schema.baseline_inputs
    # A body mass index is the weight over the squared height: units of the three agree.
    ratio = frame["weight"] / frame["length"] ** 2 / frame["bmi"]
    assert ratio.dropna().between(0.97, 1.03).mean() > 0.99
    # Friedewald in mmol/L: LDL = total - HDL - triglycerides / 2.2, where they are below 4.5.
    low = frame[frame["trig"] < 4.5]
    difference = low["chol"] - low["hdl"] - low["trig"] / 2.2 - low["ldl"]
    assert difference.abs().median() < 0.1


def test_gbsg_validates_rotterdam() -> None:
    """Every predictor of the one but chemotherapy is a predictor of the other, coded alike."""
    development, validation = load_schema("rotterdam"), load_schema("gbsg")
    names = [field.name for field in development.predictors if field.name != "chemo"]
    assert names == [field.name for field in validation.predictors]
    for name in names:
        assert development.field(name) == validation.field(name)


@pytest.mark.parametrize("name", BUILTIN)
def test_gzip_holds_no_time_stamp(name: str, checkout: Path) -> None:
    file = checkout / "scorebuilder" / "cohort" / "datasets" / f"{name}.csv.gz"
    assert file.read_bytes()[4:8] == b"\0\0\0\0"
    assert file.stat().st_size < 500_000


def test_csv_gzip_parquet_and_column_order_have_one_hash(
    tmp_path: Path, table: pd.DataFrame, schema: CohortSchema
) -> None:
    table.to_csv(tmp_path / "a.csv", index=False)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress((tmp_path / "a.csv").read_bytes()))
    columns = list(reversed(table.columns))
    table[columns].assign(extra=1).to_csv(tmp_path / "b.csv", index=False)
    typed = table.assign(
        months=[12, 24, 6.5, 36, np.nan, 8],
        death=pd.array([1, 0, 1, 0, 1, None], dtype="Int64"),
        age=[61, 55, 70, -9, 48, 66],
        chol=[193.35, 232.02, np.nan, 154.68, 200, 210],
        sex=[1, 2, 2, 1, 1, np.nan],
        nyha=pd.Categorical(table["nyha"]),
    )
    typed.to_parquet(tmp_path / "c.parquet", index=False)
    files = ("a.csv", "a.csv.gz", "b.csv", "c.parquet")
    cohorts = [load_cohort(tmp_path / file, schema) for file in files]
    assert len({cohort.data_sha256 for cohort in cohorts}) == 1
    for cohort in cohorts[1:]:
        pd.testing.assert_frame_equal(cohort.X, cohorts[0].X)
    other = table.iloc[::-1]
    other.to_csv(tmp_path / "d.csv", index=False)
    assert load_cohort(tmp_path / "d.csv", schema).data_sha256 != cohorts[0].data_sha256


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252"])
def test_french_csv(tmp_path: Path, content: dict[str, Any], encoding: str) -> None:
    content["dialect"] = {
        "delimiter": ";", "decimalChar": ",", "groupChar": "\N{NO-BREAK SPACE}",
        "encoding": "cp1252" if encoding == "cp1252" else "utf-8", "missingValues": ["", "NC"],
    }  # fmt: skip
    date = {"type": "date", "format": "%d/%m/%Y"}
    content["fields"][1] = {"name": "début", "sb:role": "time_zero_date", **date}
    content["fields"].append({"name": "fin", "sb:role": "end_date", **date})
    content["fields"][4] = {
        "name": "chol", "type": "number", "sb:role": "predictor", "sb:kind": "numeric",
        "sb:unit": "mg/L",
    }  # fmt: skip
    schema = parse_schema(content)
    text = (
        "patient;début;fin;death;age;chol;sex;nyha\r\n"
        "é1;03/04/2015;03/05/2015;1;61;1\N{NO-BREAK SPACE}934,5;1;1\r\n"
        "é2;31/12/2015;01/01/2016;0;55;NC;2;3\r\n"
        'é3;01/01/2016;31/12/2016;1;70;"2010,25";NC;2\r\n'
    )
    (tmp_path / "f.csv").write_bytes(text.encode(encoding))
    cohort = load_cohort(tmp_path / "f.csv", schema)
    assert cohort.X["chol"].tolist() == pytest.approx([1934.5, np.nan, 2010.25], nan_ok=True)
    assert cohort.y["time"].tolist() == [30.0, 1.0, 365.0]
    assert cohort.ids is not None
    assert cohort.ids.tolist() == ["é1", "é2", "é3"]
    wrong = text.replace("2010,25", "2010.25").encode(encoding)
    (tmp_path / "g.csv").write_bytes(wrong)
    with pytest.raises(
        CohortError, match=r"every cell must be a number; 1 row \(row 3\)"
    ) as caught:
        load_cohort(tmp_path / "g.csv", schema)
    assert "decimalChar` (now `,`)" in str(caught.value)
    assert "2010" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "the file must not be empty"),
        (b"a;b;c\n1;2;3\n", "cells must be separated by `,`"),
        (b"a,b\n1,2\n1,2,3\n4\n", r"every row must have 2 cells, as the header; 2 rows .*2, 3"),
        (b"a,b\n\xe9,2\n", "the text must be utf-8"),
        (b'a,b\n"1,2\n', "quotes must be closed"),
    ],
)
def test_unreadable_csv(tmp_path: Path, schema: CohortSchema, text: bytes, message: str) -> None:
    (tmp_path / "x.csv").write_bytes(text)
    with pytest.raises(CohortError, match=message):
        read_table(tmp_path / "x.csv", schema)


def test_damaged_gzip_and_parquet(tmp_path: Path, schema: CohortSchema) -> None:
    (tmp_path / "x.csv.gz").write_bytes(b"plain")
    with pytest.raises(CohortError, match="the file must be gzip"):
        read_table(tmp_path / "x.csv.gz", schema)
    (tmp_path / "x.parquet").write_bytes(b"plain")
    with pytest.raises(CohortError, match="the file must be Parquet"):
        read_table(tmp_path / "x.parquet", schema)


def test_parquet_without_pyarrow(
    tmp_path: Path, schema: CohortSchema, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "x.parquet").write_bytes(b"")
    with pytest.raises(MissingPartError, match=r"pip install 'scorebuilder\[parquet\]'"):
        read_table(tmp_path / "x.parquet", schema)


def test_files_that_are_not_there(tmp_path: Path, schema: CohortSchema) -> None:
    with pytest.raises(SpecError, match="there is no data file"):
        load_cohort(tmp_path / "x.csv", schema)
    with pytest.raises(SpecError, match="there is no schema file"):
        load_schema(tmp_path / "x.yaml")
    for read in (load_schema, lambda path: load_cohort(path, schema)):
        with pytest.raises(
            SpecError, match=r"`absent/x` below the folder in which the command runs"
        ):
            read("absent/x")
    with pytest.raises(SpecError, match="no cohort `smrt`; did you mean `smart`"):
        load_dataset("smrt")
    with pytest.raises(SpecError, match="no cohort `whas`"):
        load_schema("builtin:whas")
    with pytest.raises(SpecError, match="is no text file"):
        load_schema(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: a\nfields: [\n", "x.yaml, line 3: not valid YAML"),
        ("name: a\ntitle: b\nname: c\n", "x.yaml, line 3: .*the key `name` stands twice"),
        ("name: !!python/object:os.system a\n", "x.yaml, line 1: not valid YAML"),
        ("name: no\nfields: []\n", "`name` must be text, not true/false"),
    ],
)
def test_wrong_yaml(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "x.yaml").write_text(text, "utf-8")
    with pytest.raises(SpecError, match=message):
        load_schema(tmp_path / "x.yaml")
