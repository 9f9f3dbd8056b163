"""Queries for databases: one row in, one row out, and a status where there is no result."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from scorebuilder.export.dialect import DIALECTS, Dialect
from scorebuilder.export.plan import LARGEST_EXPONENT, InputRule, Plan, make_plan
from scorebuilder.export.target import TARGETS, Target
from scorebuilder.score.artifact import ScoreArtifact

KEY = "patient_id"
TABLE = "patients"
OK = "''"


class Query:
    """
    The query of one score in one dialect.

    Parameters
    ----------
    plan : Plan
        The score, laid out.
    dialect : Dialect
        How it is written. Columns are numbered inside the query, so that no name of the user's can
        collide with another: g1 given, m1 missing, x1 number or code, c1 contribution.
    """

    def __init__(self, plan: Plan, dialect: Dialect) -> None:
        self.plan, self.say = plan, dialect
        self.places = {rule.name: place for place, rule in enumerate(plan.inputs, start=1)}
        dialect.columns = {name: f"x{place}" for name, place in self.places.items()}

    def given(self) -> str:
        """Select the inputs of the user's table; each line is preceded by what it must hold."""
        lines = [f"    {self.say.name_of(KEY)} AS patient_key"]
        for rule in self.plan.inputs:
            lines[-1] += ","
            column = f"{self.say.name_of(rule.name)} AS g{self.places[rule.name]}"
            lines += [f"    -- {comment(rule)}", f"    {column}"]
        return "  SELECT\n" + "\n".join(lines) + f"\n  FROM {self.say.name_of(TABLE)}"

    def steps(self) -> str:
        """Write the steps from given values to contributions and their sum."""
        return ",\n".join(
            (
                self._step("was_read", "given", self._read()),
                self._step("filled", "was_read", self._fill()),
                self._step("judged", "filled", self._judge()),
                self._step("split", "judged", self._split()),
                self._step("added", "split", self._add()),
            )
        )

    def _step(self, name: str, source: str, columns: list[str]) -> str:
        body = ",\n".join(f"    {column}" for column in ["patient_key", *columns])
        return f"{name} {self.say.step} (\n  SELECT\n{body}\n  FROM {source}\n)"

    def _read(self) -> list[str]:
        columns = []
        for rule in self.plan.inputs:
            place = self.places[rule.name]
            read = self.say.as_number if rule.numeric else self.say.as_code
            columns.append(
                f"CASE WHEN {self.say.is_missing(f'g{place}')} THEN 1 ELSE 0 END AS m{place}"
            )
            columns.append(f"{read(f'g{place}')} AS x{place}")
        return columns

    def _fill(self) -> list[str]:
        columns = []
        for rule in self.plan.inputs:
            place = self.places[rule.name]
            fill = self.say.null(rule.numeric)
            if rule.fill is not None:
                fill = self._value(rule, rule.fill)
            columns += [
                f"m{place}",
                f"CASE WHEN m{place} = 1 THEN {fill} ELSE x{place} END AS x{place}",
            ]
        return columns

    def _judge(self) -> list[str]:
        refusals = [self._refusal(rule) for rule in self.plan.inputs]
        warnings = [part for rule in self.plan.inputs for part in self._warnings(rule)]
        columns = [f"x{place}" for place in self.places.values()]
        return [
            *columns,
            f"{self.say.joined(refusals)} AS refusals",
            f"{self.say.joined(warnings or [OK])} AS warnings",
        ]

    def _refusal(self, rule: InputRule) -> str:
        place = self.places[rule.name]
        cases = []
        if rule.fill is None:
            cases.append(f"WHEN m{place} = 1 THEN {self._flag(rule, 'missing')}")
        if rule.numeric:
            assert rule.lowest is not None and rule.highest is not None  # noqa: PT018
            cases.append(f"WHEN x{place} IS NULL THEN {self._flag(rule, 'invalid')}")
            outside = [
                f"x{place} < {self.say.number(rule.lowest)}",
                f"x{place} > {self.say.number(rule.highest)}",
            ]
            if rule.above is not None:
                outside.append(f"x{place} <= {self.say.number(rule.above)}")
            cases.append(f"WHEN {' OR '.join(outside)} THEN {self._flag(rule, 'out_of_range')}")
        else:
            known = self.say.one_of(rule.name, rule.codes)
            zero = self.say.number(0.0)
            cases.append(f"WHEN {known} = {zero} THEN {self._flag(rule, 'invalid')}")
        return f"CASE {' '.join(cases)} ELSE {OK} END"

    def _warnings(self, rule: InputRule) -> list[str]:
        place = self.places[rule.name]
        found = []
        if rule.fill is not None:
            found.append(f"CASE WHEN m{place} = 1 THEN {self._flag(rule, 'imputed')} ELSE {OK} END")
        if rule.usual is not None:
            low, high = map(self.say.number, rule.usual)
            found.append(
                f"CASE WHEN x{place} < {low} OR x{place} > {high} "
                f"THEN {self._flag(rule, 'extrapolation')} ELSE {OK} END"
            )
        return found

    def _flag(self, rule: InputRule, flag: str) -> str:
        return self.say.text(f"{rule.name}:{flag}; ")

    def _value(self, rule: InputRule, value: float | str) -> str:
        return self.say.number(float(value)) if rule.numeric else self.say.text(str(value))

    def _split(self) -> list[str]:
        columns = ["refusals", "warnings"]
        for name, tree in self.plan.contributions.items():
            place = self.places[name]
            columns.append(f"CASE WHEN refusals = {OK} THEN {self.say(tree)} END AS c{place}")
        return columns

    def _add(self) -> list[str]:
        parts = [f"c{place}" for place in self.places.values()]
        return ["refusals", "warnings", *parts, f"{' + '.join(parts)} AS lp"]

    def results(self) -> list[str]:
        """List the columns of the result."""
        say = self.say
        points = " + ".join(
            f"CASE WHEN lp >= {say.number(threshold)} THEN 1 ELSE 0 END"
            for threshold in self.plan.thresholds
        )
        columns = [
            f"CASE WHEN refusals = {OK} THEN 'ok' ELSE 'refused' END AS status",
            "refusals",
            f"CASE WHEN refusals = {OK} THEN warnings ELSE {OK} END AS warnings",
            f"CASE WHEN lp IS NOT NULL THEN {points} END AS points",
        ]
        columns += [
            f"{self._risk(row.cumulative_hazard)} AS risk_{row.code}" for row in self.plan.horizons
        ]
        groups = " ".join(
            f"WHEN {points} <= {last} THEN {say.text(label)}"
            for label, _, last in self.plan.groups[:-1]
        )
        last = say.text(self.plan.groups[-1][0])
        inner = f"CASE {groups} ELSE {last} END" if groups else last
        columns.append(f"CASE WHEN lp IS NOT NULL THEN {inner} END AS risk_group")
        columns.append("lp AS linear_predictor")
        columns += [
            f"c{place} - {say.number(self.plan.reference[name])} AS contribution_{place}"
            for name, place in self.places.items()
        ]
        return columns

    def _risk(self, hazard: float) -> str:
        """Print a risk whose exponentials neither overflow nor underflow."""
        say = self.say
        most = say.number(LARGEST_EXPONENT)
        ratio = say.function("exp", say.clip("lp", say.number(-LARGEST_EXPONENT), most))
        cumulative = f"{say.number(hazard)} * {ratio}"
        negative = f"({say.number(-1.0)} * {cumulative})"
        survives = say.function("exp", negative)
        one = say.number(1.0)
        return f"CASE WHEN {cumulative} > {most} THEN {one} ELSE {one} - {survives} END"

    def text(self) -> str:
        """Write the query over the user's table."""
        columns = ",\n".join(f"  {column}" for column in ["patient_key", *self.results()])
        return f"WITH given AS (\n{self.given()}\n),\n{self.steps()}\nSELECT\n{columns}\nFROM added"

    def check(self) -> str:
        """Write the query that lists test vectors which are not reproduced: none may come."""
        rows = [
            self._vector(number, vector)
            for number, vector in enumerate(self.plan.vectors)
            if self._can_hold(vector)
        ]
        columns = ",\n".join(f"    {column}" for column in ["patient_key", *self.results()])
        horizons = [row.code for row in self.plan.horizons]
        wrong = [
            "result.status <> expected.status",
            "result.refusals <> expected.refusals",
            "result.warnings <> expected.warnings",
            "COALESCE(result.points, -1) <> COALESCE(expected.points, -1)",
        ]
        none = self.say.number(-1.0)
        wrong += [
            f"ABS(COALESCE(result.risk_{code}, {none}) - COALESCE(expected.risk_{code}, {none})) "
            f"> {self.say.number(1e-9)}"
            for code in horizons
        ]
        conditions = "\n   OR ".join(wrong)
        inputs = ", ".join(f"g{place}" for place in self.places.values())
        union = "\n  UNION ALL\n".join(rows)
        return (
            f"WITH expected AS (\n{union}\n),\n"
            f"given AS (\n  SELECT patient_key, {inputs} FROM expected\n),\n{self.steps()},\n"
            f"result AS (\n  SELECT\n{columns}\n  FROM added\n)\n"
            "SELECT expected.patient_key AS test_vector_not_reproduced\n"
            "FROM expected JOIN result ON expected.patient_key = result.patient_key\n"
            f"WHERE {conditions}"
        )

    def _can_hold(self, vector: Mapping[str, Any]) -> bool:
        """Whether typed columns can hold a vector: text stands in no column of numbers."""
        return not any(
            rule.numeric and isinstance(vector["inputs"].get(rule.name), str)
            for rule in self.plan.inputs
        )

    def _vector(self, number: int, vector: Mapping[str, Any]) -> str:
        say = self.say
        columns = [f"{number} AS patient_key"]
        for rule in self.plan.inputs:
            value = vector["inputs"].get(rule.name)
            if value is None:
                shown = say.null(rule.numeric)
            elif rule.numeric:
                shown = say.number(float(value))
            else:
                shown = say.typed_text(str(value))
            columns.append(f"{shown} AS g{self.places[rule.name]}")
        for key in ("refusals", "warnings"):
            flags = "".join(f"{flag['predictor']}:{flag['flag']}; " for flag in vector[key])
            columns.append(f"{say.typed_text(flags)} AS {key}")
        columns.append(f"{say.typed_text(vector['status'])} AS status")
        points = "CAST(NULL AS INTEGER)" if vector["points"] is None else str(vector["points"])
        if self.say.name == "bigquery":
            points = points.replace("INTEGER", "INT64")
        columns.append(f"{points} AS points")
        risks = vector["risk"] or [None] * len(self.plan.horizons)
        for row, risk in zip(self.plan.horizons, risks, strict=True):
            shown = say.null(numeric=True) if risk is None else say.number(risk)
            columns.append(f"{shown} AS risk_{row.code}")
        return f"  SELECT {', '.join(columns)}"


def comment(rule: InputRule) -> str:
    """
    Say on one line of ASCII what a column must hold.

    Parameters
    ----------
    rule : InputRule
        The input.

    Returns
    -------
    str
        Label and unit, or the codes.
    """
    kind = f"number, {rule.unit or 'no unit'}" if rule.numeric else f"codes {', '.join(rule.codes)}"
    return json.dumps(f"{rule.label}: {kind}")


def _head(plan: Plan, dialect: Dialect) -> str:
    about = plan.about
    names = ("title", "status", "core_id", "outcome", "population", "intended_use", "not_for")
    lines = [
        f"{about['name']} {about['version']} for {dialect.label}.",
        "Generated by scorebuilder; may be used under the MIT licence.",
    ]
    lines += [f"{name}: {json.dumps(str(about[name]))}" for name in names]
    if plan.notice:
        lines.append(json.dumps(plan.notice))
    lines += [
        "",
        "Change the names in the first SELECT to those of your table; units must be as stated.",
        "One row in, one row out. A refused patient has the status refused and no result; the",
        "others are not touched. refusals and warnings hold input:flag; with the flags missing,",
        "invalid, out_of_range, and imputed, extrapolation. contribution_1, ... are the log hazard",
        "of each input, in the order of the first SELECT, against the average development patient.",
    ]
    return "".join(f"-- {line}".rstrip() + "\n" for line in lines)


def write_sql(artifact: ScoreArtifact) -> dict[str, str]:
    """
    Write a score as queries.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.

    Returns
    -------
    dict
        ``<name>.<dialect>.sql`` and ``<name>.<dialect>.check.sql`` for each dialect.
    """
    plan = make_plan(artifact)
    out = {}
    for name, dialect in DIALECTS.items():
        query, head = Query(plan, dialect), _head(plan, dialect)
        out[f"{plan.file_stem}.{name}.sql"] = f"{head}\n{query.text()};\n"
        what = "-- Test vectors that are not reproduced. It must return no row.\n"
        out[f"{plan.file_stem}.{name}.check.sql"] = f"{what}{query.check()};\n"
    return out


TARGETS.register(
    "sql",
    Target(
        "sql",
        "SQL for SQLite, DuckDB, PostgreSQL, SQL Server and BigQuery",
        write_sql,
        "Change the names in the first SELECT to those of your table. The query that ends in "
        ".check.sql runs the test vectors and must return no row.",
    ),
)
