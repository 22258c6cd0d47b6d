"""The generator: seeds, sizes, and a planted truth that can be found again."""

from __future__ import annotations

import gzip
import tomllib
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from perfmethod.errors import DataError
from perfmethod.normalization import check
from perfmethod.synthetic import SyntheticYear, synthesize, synthetic_year
from perfmethod.synthetic.ballots import largest_remainder
from perfmethod.synthetic.template import expand, template

ROOT = Path(__file__).resolve().parents[1]
SCORES = {1: 100.0, 2: 75.0, 3: 55.0}


@cache
def year() -> SyntheticYear:
    return synthetic_year()


@cache
def double() -> SyntheticYear:
    return synthetic_year(seed=0, units=98, ballots=80_000, groups=14)


def same(a: pd.DataFrame, b: pd.DataFrame) -> bool:
    return a.reset_index(drop=True).equals(b.reset_index(drop=True))


def answers(drawn: SyntheticYear) -> pd.DataFrame:
    """Scores of the answers, one row each."""
    ballots = drawn.tables["ballots"]
    keys = list(ballots.columns[:6])
    long = ballots.melt(keys, var_name="dimension", value_name="option").dropna(subset="option")
    long["score"] = long["option"].astype(int).map(SCORES)
    return long.dropna(subset="score")


# ---- bytes -------------------------------------------------------------------------------------


def content(path: Path) -> bytes:
    """Bytes of a file; of what is packed, since another zlib may pack the same otherwise."""
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    synthesize(folder / "2009", truth=folder / "truth" / "2009")
    return folder


@pytest.mark.parametrize("part", ["2009", "truth/2009"])
def test_committed_data_are_what_the_generator_writes(written: Path, part: str) -> None:
    committed = {p.name: p for p in (ROOT / "data" / part).iterdir()}
    fresh = {p.name: p for p in (written / part).iterdir()}
    assert set(committed) == set(fresh)
    for name, path in fresh.items():
        assert content(path) == content(committed[name]), name


def test_same_seed_same_bytes_packed_files_too(written: Path, tmp_path: Path) -> None:
    synthesize(tmp_path)
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (written / "2009" / path.name).read_bytes(), path.name


def test_packed_files_carry_no_time_and_no_name() -> None:
    head = (ROOT / "data/2009/ballots.csv.gz").read_bytes()[:10]
    assert head[3] == 0  # no flags: no name, no comment
    assert head[4:8] == bytes(4)  # no time


def test_truth_stays_outside_the_year_folder(written: Path) -> None:
    names = {p.stem for p in (written / "2009").iterdir()}
    assert not names & {"truth", "raters", "categories"}
    header = (written / "2009" / "units.csv").read_text(encoding="utf-8").splitlines()[0]
    assert not {"quality", "perception", "stuffed", "plant"} & set(header.split(","))


# ---- seeds -------------------------------------------------------------------------------------


def test_seed_zero_is_a_seed() -> None:
    first, again = synthetic_year(seed=0, ballots=99), synthetic_year(seed=0, ballots=99)
    other = synthetic_year(seed=1, ballots=99)
    for name in ("tasks", "ballots", "internal"):
        assert same(first.tables[name], again.tables[name])
        assert not same(first.tables[name], other.tables[name])


def test_number_of_ballots_changes_nothing_else() -> None:
    few = synthetic_year(ballots=500)
    for name, table in year().tables.items():
        assert same(table, few.tables[name]) == (name != "ballots"), name
    for name in ("units", "groups"):
        assert same(year().truth[name], few.truth[name])


def test_global_random_state_is_left_alone() -> None:
    np.random.seed(1)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    synthetic_year(ballots=10)
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


# ---- sizes -------------------------------------------------------------------------------------


def test_double_size_is_exact() -> None:
    tables = double().tables
    assert len(tables["ballots"]) == 80_000
    assert tables["units"]["class"].value_counts().to_dict() == {
        "municipal_department": 90,
        "county_government": 8,
    }
    assert tables["units"]["group"].nunique() == len(tables["groups"]) == 15
    assert tables["units"]["unit_id"].is_unique
    assert tables["units"]["name_zh"].is_unique
    assert "places = 26" in double().scheme
    counts = tables["ballots"]["unit_id"].value_counts()
    assert set(counts[counts.index.str.startswith("C")]) == {1000}
    assert set(counts[counts.index.str.startswith("D")]) == {800}


@settings(max_examples=25, deadline=None)
@given(units=st.integers(3, 130), groups=st.integers(1, 20), seed=st.integers(0, 5))
def test_any_size_keeps_its_promises(units: int, groups: int, seed: int) -> None:
    departments = units - max(2, round(units * 4 / 49))
    if groups > departments:
        with pytest.raises(DataError, match=f"1 to {departments}"):
            synthetic_year(units=units, groups=groups)
        return
    drawn = synthetic_year(seed=seed, units=units, groups=groups, ballots=997)
    tables = drawn.tables
    assert (len(tables["units"]), len(tables["ballots"])) == (units, 997)
    assert set(tables["units"]["group"]) == set(tables["groups"]["group"])
    assert len(tables["groups"]) == groups + 1
    known = set(tables["units"]["unit_id"])
    for name in ("tasks", "adjustments", "vetoes", "internal", "ballots"):
        assert set(tables[name]["unit_id"]) <= known, name
    for name, key in KEYS.items():
        assert not tables[name].duplicated(key).any(), name


KEYS = {
    "units": ["unit_id"],
    "groups": ["group"],
    "indicators": ["indicator_id"],
    "tasks": ["unit_id", "indicator_id"],
    "adjustments": ["event_id"],
    "vetoes": ["event_id"],
    "internal": ["unit_id", "category"],
    "ballots": ["ballot_id"],
    "organs": ["organ_id"],
    "register": ["kind", "id"],
}


def test_template_of_49_is_the_template() -> None:
    source = template()
    plan = expand(source, 49, 7)
    assert plan.units["unit_id"].tolist() == source.units["unit_id"].tolist()
    assert plan.units["group"].tolist() == source.units["group"].tolist()
    assert plan.units["name_zh"].tolist() == source.units["name_zh"].tolist()
    assert same(plan.groups, source.groups)
    assert same(plan.adjustments, source.adjustments)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"units": 2}, "found 2; allowed: 3 or more"),
        ({"groups": 0}, "found 0; allowed: 1 to 45"),
        ({"ballots": 0}, "found 0; allowed: a whole number of 1 or more"),
        ({"seed": -1}, "found -1; allowed: a whole number of 0 or more"),
    ],
)
def test_impossible_sizes_are_named(wrong: dict[str, int], message: str) -> None:
    with pytest.raises(DataError, match=message):
        synthetic_year(**wrong)


@given(
    hnp.arrays(float, st.integers(1, 30), elements=st.floats(0, 1e3)).filter(lambda a: a.sum() > 1),
    st.integers(0, 10_000),
)
def test_largest_remainder_stays_within_one_of_the_share(quotas: np.ndarray, total: int) -> None:
    seats = largest_remainder(quotas, total)
    assert seats.sum() == total
    assert (np.abs(seats - quotas / quotas.sum() * total) < 1 + 1e-6).all()


def test_largest_remainder_of_the_places_of_2009() -> None:
    sizes = np.array([4, 8, 7, 8, 8, 6, 4, 4.0])
    assert largest_remainder(sizes, 13).tolist() == [1, 2, 2, 2, 2, 2, 1, 1]


# ---- ballots -----------------------------------------------------------------------------------


@pytest.mark.parametrize("drawn", [year, double])
def test_nobody_rates_a_unit_twice(drawn: object) -> None:
    ballots = drawn().tables["ballots"]  # type: ignore[operator]
    assert not ballots.duplicated(["unit_id", "rater_id"]).any()


def test_ballots_follow_the_plan() -> None:
    plan = template().ballots.set_index(["category", "mode"]).drop(index="internal", level=1)
    counts = year().tables["ballots"].groupby(["category", "mode", "unit_id"], observed=True).size()
    for (category, mode, unit), n in counts.items():
        column = "county_government" if unit[0] == "C" else "municipal_department"
        assert n == int(plan.loc[(category, mode), column])


def test_crossed_categories_share_raters_and_nested_ones_do_not() -> None:
    per_rater = year().tables["ballots"].groupby(["category", "rater_id"], observed=True).size()
    mean = per_rater.groupby("category", observed=True).mean()
    assert mean["R01"] > 40
    assert mean["R10"] == 1
    assert 2.5 < mean["R11"] < 3.5


def test_only_answers_that_exist() -> None:
    ballots = year().tables["ballots"]
    found = pd.unique(ballots.iloc[:, 6:].to_numpy(dtype=float, na_value=np.nan).ravel())
    assert set(found[~np.isnan(found)]) == {1, 2, 3, 9}


def test_batches_stand_where_they_belong() -> None:
    ballots = year().tables["ballots"]
    online = ballots["mode"] == "online"
    session = ballots["mode"] == "central_session"
    assert ballots.loc[online, "batch"].str.match(r"2009-12-\d\dT\d\d:\d\d:\d\d$").all()
    assert ballots.loc[session, "batch"].str.match(r"R\d\d-S\d\d$").all()
    assert (ballots.loc[~online & ~session, "batch"] == "").all()


# ---- tasks -------------------------------------------------------------------------------------


def test_statuses_are_exact_shares() -> None:
    tasks = year().tables["tasks"]
    n = len(tasks)
    assert tasks["status"].value_counts().to_dict() == {
        "certified": n - round(0.03 * n) - round(0.01 * n) - 1,
        "corrected": round(0.03 * n),
        "late": round(0.01 * n),
        "disputed": 1,
    }


def test_corrected_values_had_been_reported_too_well() -> None:
    tasks = year().tables["tasks"].merge(year().tables["indicators"], on="indicator_id")
    gap = (tasks["reported"] != tasks["actual"]).to_numpy()
    assert (gap == (tasks["status"] == "corrected")).all()
    changed = tasks[gap]
    gain = changed["reported"].astype(float) - changed["actual"].astype(float)
    assert (np.sign(gain) == np.where(changed["direction"] == "negative", -1, 1)).all()


def test_the_statistics_bureau_certifies_data_on_which_it_is_scored() -> None:
    tasks = year().tables["tasks"]
    own = tasks[tasks["self_certified"] == "yes"]
    assert "M061" in set(own.loc[own["unit_id"] == "D05", "indicator_id"])
    figures = own[own["indicator_id"].str.match(r"[PM]\d")]
    assert set(figures["unit_id"]) == {"D05"}


def test_departments_behind_one_city_value_show_the_same() -> None:
    tasks = year().tables["tasks"]
    shared = tasks[tasks["role"].isin(["lead_department", "co_department"])]
    assert (shared.groupby("indicator_id")["actual"].nunique() == 1).all()


def test_quarters_of_growing_values_climb_to_the_actual_value() -> None:
    tasks = year().tables["tasks"].merge(year().tables["indicators"], on="indicator_id")
    growing = tasks[tasks["path"].isin(["linear", "back", "season"])]
    quarters = growing[["q1", "q2", "q3", "q4"]].to_numpy(float)
    assert (np.diff(quarters, axis=1) >= 0).all()
    assert (growing["q4"] == growing["actual"]).all()
    expected = growing["path"].map({"linear": 0.75, "back": 0.62, "season": 0.8})
    large = growing["actual"].astype(float) > 100  # small counts are rounded too much
    done = growing["q3"].astype(float) / growing["q4"].astype(float) / expected
    assert 0.05 < (done[large] < 0.87).mean() < 0.2
    assert 0.97 < done[large].median() < 1.03
    only_year_end = tasks[tasks["path"] == "annual"]
    assert only_year_end[["q1", "q2", "q3"]].isna().all(axis=None)


def test_every_department_draws_two_topics() -> None:
    tasks = double().tables["tasks"]
    drawn = tasks[tasks["role"] == "spot_check"].groupby("unit_id").size()
    assert len(drawn) == 90
    assert (drawn == 2).all()
    assert tasks.loc[tasks["role"] == "spot_check", "indicator_id"].nunique() == 8


@pytest.mark.parametrize("drawn", [year, double])
def test_most_targets_are_met_and_values_bunch_there(drawn: object) -> None:
    tables = drawn().tables  # type: ignore[operator]
    tasks = tables["tasks"].merge(tables["indicators"], on="indicator_id")
    simple = tasks[
        tasks["source"].isin(["provincial", "municipal"]) & (tasks["kind"] == "quantitative")
    ]
    simple = simple[simple["direction"] == "positive"]
    ratio = simple["actual"].astype(float) / simple["target"].astype(float)
    assert 0.85 <= (ratio >= 1).mean() <= 0.96
    just = ((ratio >= 1) & (ratio < 1.005)).mean()
    assert just > 3 * ((ratio >= 0.995) & (ratio < 1)).mean()


# ---- the planted truth -------------------------------------------------------------------------


def common_tasks(drawn: SyntheticYear) -> pd.DataFrame:
    """Own positive values of every unit, with its quality."""
    tasks = drawn.tables["tasks"].merge(drawn.truth["units"], on="unit_id")
    own = tasks[tasks["indicator_id"].isin(["M061", "M062", "M063"])].copy()
    own["ratio"] = own["actual"].astype(float) / own["target"].astype(float)
    return own


def test_quality_shows_in_actual_values() -> None:
    own = common_tasks(double()).groupby("unit_id")[["ratio", "quality"]].mean()
    assert own["ratio"].corr(own["quality"]) > 0.3


def test_quality_shows_in_ballots_and_internal_ratings() -> None:
    truth = year().truth["units"].set_index("unit_id")
    public = answers(year()).groupby("unit_id", observed=True)["score"].mean()
    internal = year().tables["internal"].groupby("unit_id")["score"].mean()
    assert public.corr(truth["perception"]) > 0.8
    assert internal.corr(truth["quality"]) > 0.8


def test_stringency_shows_in_statutory_duties() -> None:
    tables, truth = double().tables, double().truth
    tasks = tables["tasks"][tables["tasks"]["role"] == "statutory_duty"]
    tasks = tasks.merge(truth["units"], on="unit_id").merge(tables["units"], on="unit_id")
    points = 100 * tasks["actual"].astype(float) / tasks["target"].astype(float)
    tasks["less_than_deserved"] = 87 + 3 * tasks["quality"] - points
    group = tasks.groupby("group")["less_than_deserved"].mean()
    planted = truth["groups"].set_index("group")["stringency"]
    assert group.corr(planted) > 0.7
    departments = planted.drop("G0")
    assert departments.std() == pytest.approx(2)
    assert departments.mean() == pytest.approx(0, abs=1e-12)


def test_stringency_has_no_part_in_other_values() -> None:
    tasks = common_tasks(year()).merge(year().tables["units"], on="unit_id")
    tasks = tasks.merge(year().truth["groups"], on="group")
    tasks["rest"] = tasks["ratio"] - np.polyval(
        np.polyfit(tasks["quality"], tasks["ratio"], 1), tasks["quality"]
    )
    assert abs(tasks["rest"].corr(tasks["stringency"])) < 0.3


def test_severe_categories_rate_lower() -> None:
    truth = year().truth["categories"].set_index("category")["severity"].astype(float)
    mean = answers(year()).groupby("category", observed=True)["score"].mean()
    assert mean.corr(truth[mean.index], method="spearman") < -0.9


def test_severe_raters_rate_lower() -> None:
    truth = year().truth["raters"].set_index("rater_id")["severity"]
    crossed = answers(year())
    crossed = crossed[crossed["category"] == "R01"]
    mean = crossed.groupby("rater_id", observed=True)["score"].mean()
    assert mean.corr(truth[mean.index]) < -0.8


def test_straight_liners_answer_alike() -> None:
    truth = year().truth["raters"].set_index("rater_id")["straight_line"]
    ballots = year().tables["ballots"].drop(columns=["ballot_id", "unit_id", "mode", "batch"])
    flawed = year().truth["ballots"]["ballot_id"].to_numpy() - 1
    ballots = ballots.drop(index=flawed)
    alike = ballots.iloc[:, 2:].nunique(axis=1) == 1
    straight = ballots["rater_id"].astype(str).map(truth) == "yes"
    assert alike[straight].all()
    assert alike[~straight].mean() < 0.5


def test_dont_know_rises_as_contact_falls() -> None:
    ballots = year().tables["ballots"].merge(year().tables["units"], on="unit_id")
    departments = ballots[ballots["class"] == "municipal_department"]
    unknown = (departments["duty"] == 9).astype(float).groupby(departments["public_contact"]).mean()
    assert unknown["high"] < unknown["medium"] < unknown["low"]


def test_stuffed_units_have_a_burst_and_extreme_online_means() -> None:
    truth = year().truth["units"].set_index("unit_id")
    stuffed = set(truth.index[truth["stuffed"] == "yes"])
    assert len(stuffed) == 2
    online = answers(year())
    online = online[online["mode"] == "online"]
    mean = online.groupby("unit_id", observed=True)["score"].mean().sort_values()
    assert set(mean.index[-2:]) == stuffed
    ballots = year().tables["ballots"]
    flaws = year().truth["ballots"]
    for unit in stuffed:
        own = ballots[(ballots["unit_id"] == unit) & (ballots["mode"] == "online")]
        times = pd.to_datetime(own["batch"]).sort_values().to_numpy()
        window = int(0.5 * len(times))
        spans = times[window:] - times[:-window]
        assert spans.min() < np.timedelta64(180, "s")
        planted = set(flaws.loc[flaws["flaw"] == "stuffed", "ballot_id"])
        assert len(planted & set(own["ballot_id"])) == round(0.55 * len(own))


def test_one_session_has_copied_ballots() -> None:
    flaws = year().truth["ballots"]
    ballots = year().tables["ballots"].set_index("ballot_id")
    copied = ballots.loc[flaws.loc[flaws["flaw"] == "copied", "ballot_id"]]
    assert copied["batch"].nunique() == 1
    session = ballots[ballots["batch"] == copied["batch"].iloc[0]]
    dimensions = session.columns[5:]
    per_unit = session.groupby("unit_id", observed=True)[list(dimensions)].nunique()
    assert (per_unit <= 1).all(axis=None)
    assert len(copied) == len(session) - session["unit_id"].nunique()


def test_two_units_exceed_a_cap() -> None:
    events = year().tables["adjustments"]
    bonus = events["item"].str.startswith("B")
    points = events["points"].astype(float)
    assert points[bonus].groupby(events["unit_id"]).sum().max() > 50
    assert points[~bonus].groupby(events["unit_id"]).sum().max() > 50


# ---- no person, valid rules --------------------------------------------------------------------

ROLES = ("长", "主任", "员", "办公室", "科", "组织", "处长")


def test_only_roles_never_persons() -> None:
    for name, table in year().tables.items():
        for column in table.columns[
            table.columns.str.contains("role_zh|^leader_role$|person|office")
        ]:
            values = set(table[column]) - {""}
            assert all(any(r in v for r in ROLES) for v in values), (name, column)
            assert len(values) < 10, (name, column)
    assert not any(
        "person_name" in t.columns or "phone" in t.columns for t in year().tables.values()
    )


def test_rules_are_written_as_normalization_wants_them() -> None:
    document = tomllib.loads(year().scheme)
    targets = year().tables["tasks"].groupby("indicator_id")["target"].first()
    for indicator, entry in document["indicators"].items():
        rule = dict(entry["rule"])
        direction = -1 if entry.get("direction") == "negative" else 1
        found = check(
            rule.pop("method"), rule, direction=direction, has_target=targets.get(indicator) != ""
        )
        assert found == [], indicator
