"""Text tables: every flaw at once, no input overwritten, exact numbers."""

import os

import pandas as pd
import pytest

from scorebuilder.cli.tables import (
    plain_number,
    read_text_table,
    refuse_input,
    refuse_run_file,
    with_rows,
    write_table,
)
from scorebuilder.core.errors import CohortError, SpecError


@pytest.fixture
def write(tmp_path):
    def write(content):
        path = tmp_path / "table.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_cells_stay_text(write):
    frame = read_text_table(write("\ufeffid, age ,sex\n007, 61.50,\n\n008,NA,1\n"))
    assert list(frame.columns) == ["id", "age", "sex"]
    assert frame["id"].tolist() == ["007", "008"]
    assert frame["age"].tolist() == ["61.50", None]
    assert frame["sex"].tolist() == [None, "1"]


def test_decimal_comma_leaves_the_cells_as_they_are(write):
    frame = read_text_table(write("age;note\n61,5;a, b\n"), delimiter=";", decimal=",")
    assert frame.loc[0].tolist() == ["61,5", "a, b"]


def test_a_level_code_is_never_missing_in_its_column(write):
    frame = read_text_table(write("age,valve\nNA,NA\n60,\n"), codes={"valve": ["NA", "MV"]})
    assert frame["age"].tolist() == [None, "60"]
    assert frame["valve"].tolist() == ["NA", None]


def test_a_point_is_no_number_where_the_decimal_mark_is_a_comma():
    assert plain_number("-1,5e3", ",") == "-1.5e3"
    for text in ("1.234", ".5", "+1.0", "1.234,5", "1.5e3"):
        with pytest.raises(ValueError, match="could not convert"):
            float(plain_number(text, ","))
    assert plain_number("1.234", ".") == "1.234"


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        ("", "the table is empty"),
        ("age,sex\n", "the table has no rows"),
        ("age,age\n1,2\n", "column `age`: stands twice in the header"),
        ("age,\n1,2\n", "every column must have a name"),
        ("age,sex\n1\n1,2\n1,2,3\n", "every row must have 2 cells, as the header; 2 rows"),
        (b"age\n\xff\n", "the file must be UTF-8 text"),
        ('age\n"1\n', "quotes must be closed"),
    ],
)
def test_what_is_no_table(write, content, rule):
    with pytest.raises(CohortError) as caught:
        read_text_table(write(content))
    assert rule in str(caught.value)


def test_flaws_come_at_once(write):
    with pytest.raises(CohortError) as caught:
        read_text_table(write("age,age,\n1\n"))
    assert len(caught.value.violations) == 3


def test_delimiter_and_decimal_must_differ(write):
    with pytest.raises(SpecError, match="not the same"):
        read_text_table(write("a\n1\n"), decimal=",")


def test_rows_and_identifier_stand_in_front():
    frame = pd.DataFrame({"id": ["a", "b"], "age": ["1", "2"]})
    results = pd.DataFrame({"risk": [0.1, 0.2]}, index=[5, 6])
    out = with_rows(frame, results, "id")
    assert out.to_dict("list") == {"row": [1, 2], "id": ["a", "b"], "risk": [0.1, 0.2]}
    with pytest.raises(CohortError, match="`name`: named by --id, but not in the table"):
        with_rows(frame, results, "name")
    with pytest.raises(SpecError, match="has the name of a result"):
        with_rows(frame.rename(columns={"id": "risk"}), results, "risk")


def test_input_is_never_overwritten(tmp_path):
    table = tmp_path / "table.csv"
    table.write_text("a\n1\n")
    os.link(table, tmp_path / "other.csv")
    for name in ("table.csv", "other.csv"):
        with pytest.raises(SpecError, match="is an input of this command"):
            refuse_input(tmp_path / name, table)
    with pytest.raises(SpecError, match="is a folder"):
        refuse_input(tmp_path, table)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SpecError, match="is a device or pipe"):
        refuse_input(tmp_path / "pipe", table)
    refuse_input(tmp_path / "new.csv", table)


def test_files_of_a_run_are_never_overwritten(tmp_path):
    run = tmp_path / "run"
    (run / "tables").mkdir(parents=True)
    for name in ("SHA256SUMS", "score.json", "tables/terms.csv"):
        (run / name).write_text("sealed")
    (tmp_path / "link").symlink_to(run)
    (tmp_path / "link.csv").symlink_to(run / "score.json")
    (run / "out.csv").symlink_to(tmp_path / "nowhere")
    for name in (
        "run/SHA256SUMS", "run/score.json", "run/tables/terms.csv", "link/score.json", "link.csv",
        "run/out.csv",
    ):  # fmt: skip
        with pytest.raises(SpecError, match="is a file of the run in"):
            refuse_run_file(tmp_path / name)
    refuse_run_file(run / "new.csv")
    (tmp_path / "old.csv").write_text("")
    refuse_run_file(tmp_path / "old.csv")


def test_numbers_read_back_exactly(tmp_path):
    values = [0.1 + 0.2, 1 / 3, 5e-324]
    write_table(tmp_path / "deep" / "out.csv", pd.DataFrame({"risk": values}))
    lines = (tmp_path / "deep" / "out.csv").read_text().splitlines()[1:]
    assert [float(line) for line in lines] == values
