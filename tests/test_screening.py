"""Screening of ballots: the planted is found, the clean is not flagged, laws, bad input."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import perfmethod as pm
from perfmethod.errors import DataError, PerfmethodError
from perfmethod.plots import flag_table, screening_effect, vote_timeline
from perfmethod.screening import METHODS, Screening, effect, screen
from perfmethod.screening.blanks import unanswered
from perfmethod.screening.run import _asked, _options
from perfmethod.screening.sheet import Sheet
from perfmethod.synthetic import SyntheticYear, synthetic_year

DATA = Path(__file__).resolve().parents[1] / "data"
PLANTED = ["burst", "copied session", "ring"]


@pytest.fixture(scope="module")
def year() -> pm.Year:
    return pm.Year.load(DATA / "2009")


@pytest.fixture(scope="module")
def found(year: pm.Year) -> Screening:
    return screen(year)


@cache
def small(seed: int = 4) -> SyntheticYear:
    return synthetic_year(seed=seed, units=12, ballots=4000)


def named(result: Screening, kind: str, column: str = "unit") -> set[str]:
    return set(result.flags.loc[result.flags["kind"] == kind, column])


# --- the planted truth


def test_planted_units_and_session_are_found(found: Screening) -> None:
    units = pd.read_csv(DATA / "truth" / "2009" / "units.csv")
    stuffed = set(units.loc[units["stuffed"] == "yes", "unit_id"])
    assert len(stuffed) == 2
    assert named(found, "burst") == stuffed
    assert named(found, "online all best") == stuffed
    assert len(named(found, "copied session", "batch")) == 1
    assert named(found, "copied session", "category") == {"R02"}


def test_flawed_ballots_are_set_aside_and_hardly_any_other(found: Screening) -> None:
    flaws = pd.read_csv(DATA / "truth" / "2009" / "ballots.csv")
    flawed = np.zeros(found.ballots, bool)
    flawed[flaws["ballot_id"].to_numpy() - 1] = True
    aside = found._flagged(PLANTED)
    assert (aside & flawed).sum() == flawed.sum() == 639
    assert (aside & ~flawed).sum() <= 3  # who voted honestly in the minutes of a burst


def test_straight_liners_are_found_where_there_are_enough_ballots(
    year: pm.Year, found: Screening
) -> None:
    raters = pd.read_csv(DATA / "truth" / "2009" / "raters.csv.gz")
    names = set(raters.loc[raters["straight_line"] == "yes", "rater_id"])
    ballots = year.ballots
    assert ballots is not None
    straight = ballots["rater_id"].astype(str).isin(names).to_numpy()
    aside = found._flagged(["straight-lining"])
    assert (aside & straight).sum() > 0.3 * straight.sum()
    assert (aside & ~straight).sum() <= 0.02 * aside.sum()


@pytest.mark.parametrize("seed", [11, 12])
def test_clean_ballots_are_not_flagged(seed: int) -> None:
    drawn = synthetic_year(seed=seed)
    raters, ballots = drawn.truth["raters"], drawn.tables["ballots"]
    lines = set(raters.loc[raters["straight_line"] == "yes", "rater_id"])
    flawed = ballots["ballot_id"].isin(drawn.truth["ballots"]["ballot_id"])
    clean = ballots[~flawed & ~ballots["rater_id"].astype(str).isin(lines)]
    result = screen(clean, pm.Scheme.loads(drawn.scheme))
    assert result.flags.empty
    assert "nothing" in repr(result)


def test_one_rater_who_copies_another_is_a_ring() -> None:
    drawn = synthetic_year(seed=3)
    ballots = drawn.tables["ballots"]
    base = ballots[(ballots["category"] == "R08")].reset_index(drop=True)
    rater = base["rater_id"].astype(str)
    names = rater.value_counts().index[:2].tolist()
    questions = base.columns[6:]
    model = base[rater == names[0]].set_index("unit_id")[questions]
    copy = base[rater == names[1]]
    copy = copy[copy["unit_id"].isin(model.index)]
    base.loc[copy.index, questions] = model.loc[copy["unit_id"]].to_numpy()
    flags = screen(base).flags
    assert (
        flags.loc[flags["kind"] == "ring", "evidence"].str.startswith("<10 raters, pairs of").all()
    )
    assert (flags["kind"] == "ring").sum() == 1


# --- counts that cannot be


def test_a_second_ballot_on_the_same_unit_is_seen() -> None:
    ballots = small().tables["ballots"]
    extra = ballots.iloc[[5, 5, 700]].assign(ballot_id=[-1, -2, -3])
    result = screen(pd.concat([ballots, extra], ignore_index=True))
    flags = result.flags[result.flags["kind"] == "repeated ballot"]
    assert flags["ballots"].sum() == 3
    assert flags["p"].isna().all()
    assert np.flatnonzero(result._flagged(["repeated ballot"])).tolist() == [4000, 4001, 4002]


def test_impossible_counts_are_seen() -> None:
    ballots = small().tables["ballots"]
    twice = pd.concat([ballots, ballots.iloc[[9]]], ignore_index=True)
    result = screen(twice, registered={"R01": 1})
    texts = result.flags.loc[result.flags["kind"] == "impossible count", "evidence"]
    assert texts.str.contains("more than registered raters").any()
    assert texts.str.contains("<10 ballots whose ballot_id stands more than once").any()
    same = ballots.head(40).assign(rater_id="R01-0001", category="R01")
    flags = screen(same).flags
    assert flags["evidence"].str.contains("<10 raters with more ballots than the").any()


def test_a_category_that_nobody_knows_is_refused() -> None:
    with pytest.raises(PerfmethodError, match="category 'R1'; allowed: did you mean 'R13'"):
        screen(small().tables["ballots"], registered={"R1": 3})


# --- what may be shown


def test_nothing_shown_names_a_rater_or_a_ballot(found: Screening) -> None:
    shown = found.to_frame().to_string() + found.unanswered.to_string() + repr(found)
    assert "R02-0" not in shown
    assert "_masks" not in shown
    assert not {"rater_id", "ballot_id"} & {*found.flags.columns, *found.unanswered.columns}


def sheet_of(year: pm.Year, min_cell: int) -> Sheet:
    assert year.ballots is not None
    return Sheet.read(_asked(year.ballots, year.scheme), _options(year.scheme), min_cell)


def test_unanswered_adds_up_and_hides_small_cells(year: pm.Year) -> None:
    table = unanswered(sheet_of(year, 1), 1)
    units = table[table["by"] == "unit"].set_index("unit")
    ballots = year.ballots
    assert ballots is not None
    own = ballots[ballots["unit_id"] == "D07"][["duty", "efficiency", "behavior", "self_build"]]
    assert units.loc["D07", "dont_know"] == pytest.approx((own == 9).to_numpy().mean(), abs=1e-12)
    assert units.loc["D07", "no_answer"] == own.isna().to_numpy().mean()
    assert units.loc["D07", "blank"] == pytest.approx((own == 9).all(axis=1).mean(), abs=1e-12)
    cells = screen(small().tables["ballots"]).unanswered
    hidden = cells[cells["suppressed"]]
    assert len(hidden)
    assert hidden["dont_know"].isna().all()
    assert set(hidden["ballots"]) == {"<10"}


def test_no_share_tells_of_fewer_people_than_may_be_shown(year: pm.Year, found: Screening) -> None:
    keys = ["by", "unit", "category", "mode"]
    exact = unanswered(sheet_of(year, 1), 1).set_index(keys)
    shown = found.unanswered.set_index(keys)
    assert exact.index.equals(shown.index)
    four = exact.index.get_level_values("unit").str.startswith("D")  # departments: four questions
    hidden = 0
    for part, questions in (("blank", 1), ("dont_know", 4), ("no_answer", 4)):
        rows = np.ones(len(exact), bool) if questions == 1 else four
        asked = exact["ballots"].to_numpy(int)[rows] * questions
        number = (exact[part].to_numpy(float)[rows] * asked).round()
        told = shown[part].to_numpy(float)[rows] * asked
        small = (number > 0) & (number < 10) | (asked > number) & (asked - number < 10)
        hidden += int(small.sum())
        assert np.isnan(told[small]).all()
        seen = ~np.isnan(told)
        assert np.abs(told - number)[seen].max() <= 5 + 1e-9
        inner = seen & (number > 0) & (number < asked)
        assert np.allclose(told[inner] / 10, (told[inner] / 10).round(), atol=1e-9)
    assert hidden > 50
    assert shown["dont_know"].notna().sum() > 50  # something is left to be read


def test_totals_less_their_cells_do_not_tell_what_is_hidden(
    year: pm.Year, found: Screening
) -> None:
    exact = unanswered(sheet_of(year, 1), 1)
    right = tried = 0
    for unit in exact["unit"].unique():
        rows = (exact["unit"] == unit).to_numpy()
        whole = (exact["by"] == "unit").to_numpy() & rows
        cells = rows & ~whole
        if not unit or not whole.any():
            continue
        asked = 4 * exact["ballots"].to_numpy(int)
        told = found.unanswered["dont_know"].to_numpy(float) * asked
        number = exact["dont_know"].to_numpy(float) * asked
        hidden = cells & np.isnan(told)
        if hidden.any() and not np.isnan(told[whole]).any():
            tried += 1
            guess = told[whole].item() - told[cells & ~hidden].sum()
            right += abs(guess - number[hidden].sum()) < 0.5
    assert tried > 20
    assert right <= 0.3 * tried  # as often as chance allows, not always as exact shares would


def test_what_is_given_out_tells_of_no_few_people(found: Screening) -> None:
    shown, exact = found.shown(), found.to_frame()
    assert sorted(shown["kind"]) == sorted(exact["kind"])
    for text in shown["ballots"]:
        assert text in ("<10", "–") or int(text) % 10 == 0
    lines = shown[shown["kind"] == "straight-lining"]
    assert len(lines)
    assert set(lines["ballots"]) <= {"–", *(str(10 * k) for k in range(1, 1000))}
    numbers = [int(n) for text in shown["evidence"] for n in re.findall(r"about (\d+)", text)]
    assert numbers
    assert all(n % 10 == 0 for n in numbers)
    assert all(float(f"{p:.0e}") == p for p in shown["p"])


def test_the_timeline_shows_no_small_number(found: Screening) -> None:
    axes = found.plot("timeline", lang="en")
    points = np.concatenate([np.asarray(c.get_offsets())[:, 1] for c in axes.collections])
    assert set(points[points != 5] % 10) <= {0.0}
    assert (points == 5).any()
    assert points.min() == 5
    figure: Any = axes.get_figure()
    assert "Fewer than 10 ballots" in [t.get_text() for t in figure.legends[0].get_texts()]
    assert "nearest 10" in axes.get_ylabel()


def test_a_lower_least_cell_shows_more(year: pm.Year) -> None:
    open_ = screen(year.with_scheme(year.scheme.patch({"survey.min_cell": 1})))
    assert open_.min_cell == 1
    assert open_.shown()["ballots"].tolist() == open_.to_frame()["ballots"].astype(str).tolist()
    assert not open_.unanswered["suppressed"].any()


def test_flags_come_in_the_order_of_the_methods(found: Screening) -> None:
    kinds = found.to_frame()["kind"].tolist()
    assert kinds == sorted(kinds, key=list(METHODS).index)
    assert found.flags["p"].dropna().between(0, found.alpha).all()
    assert found.meta["seed"] == 0


# --- laws


def content(result: Screening) -> pd.DataFrame:
    table = result.to_frame()
    return table.sort_values(["kind", "unit", "category", "batch", "mode"], ignore_index=True)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=3)
def test_the_order_of_rows_does_not_matter(seed: int) -> None:
    ballots, scheme = small().tables["ballots"], pm.Scheme.loads(small().scheme)
    order = np.random.default_rng(seed).permutation(len(ballots))
    one, other = screen(ballots, scheme), screen(ballots.iloc[order], scheme)
    pd.testing.assert_frame_equal(content(one), content(other), rtol=1e-9)
    pd.testing.assert_frame_equal(one.unanswered, other.unanswered, rtol=1e-9)
    free = ["burst", "straight-lining", "identical ballots"]  # a copy has no first in itself
    assert (one._flagged(free)[order] == other._flagged(free)).all()


@given(st.permutations(range(12)))
@settings(max_examples=3)
def test_renaming_units_renames_flags(order: list[int]) -> None:
    ballots, scheme = small().tables["ballots"], pm.Scheme.loads(small().scheme)
    units = sorted(ballots["unit_id"].astype(str).unique())
    name = {u: f"X{k:02d}" for u, k in zip(units, order, strict=True)}
    renamed = ballots.assign(unit_id=ballots["unit_id"].astype(str).map(name))
    one, other = content(screen(ballots, scheme)), screen(renamed, scheme)
    one["unit"] = one["unit"].map(lambda u: name.get(u, u))
    one = one.sort_values(["kind", "unit", "category", "batch", "mode"], ignore_index=True)
    pd.testing.assert_frame_equal(one, content(other), rtol=1e-9)
    assert len(one)


# --- effect


def test_effect_is_the_difference_of_two_evaluations(year: pm.Year, found: Screening) -> None:
    table = effect(year, found, kinds=PLANTED)
    ballots = year.ballots
    assert ballots is not None
    kept = year.replace(ballots=ballots[~found._flagged(PLANTED)])
    slow = pm.evaluate(kept).scores["total"]
    assert table["total_other"].to_numpy() == pytest.approx(slow[table.index].to_numpy(), abs=0)
    assert table["set_aside"].sum() == found._flagged(PLANTED).sum()
    assert table["ballots"].sum() == found.ballots
    stuffed = sorted(named(found, "burst"))
    assert (table.loc[stuffed, "total_change"] < 0).all()  # they lose what was stuffed
    assert table["total_change"].abs().idxmax() in stuffed


def test_nothing_set_aside_changes_nothing(year: pm.Year, found: Screening) -> None:
    table = effect(year, found, kinds=[])
    assert (table["total_change"] == 0).all()
    assert not table["grade_changes"].any()
    assert (table["set_aside"] == 0).all()


def test_a_screening_of_other_ballots_is_refused(year: pm.Year, found: Screening) -> None:
    ballots = year.ballots
    assert ballots is not None
    other = year.replace(ballots=ballots.iloc[:-1])
    with pytest.raises(PerfmethodError, match="a screening of other ballots"):
        effect(other, found)
    with pytest.raises(PerfmethodError, match="'online all best'; allowed"):
        effect(year, found, kinds=["online all best"])  # names units, not ballots


# --- bad input


def test_missing_columns_and_cells_are_named() -> None:
    ballots = small().tables["ballots"]
    with pytest.raises(DataError, match="column 'mode': found no such column"):
        screen(ballots.drop(columns="mode"))
    with pytest.raises(DataError, match="found no ballot; allowed: at least one"):
        screen(ballots.head(0))
    with pytest.raises(DataError, match="found no column of answers"):
        screen(ballots.iloc[:, :6])
    broken = ballots.astype({"unit_id": "object"})
    broken.iloc[3, 1] = None
    with pytest.raises(DataError, match="row 5, column 'unit_id': found an empty cell"):
        screen(broken)
    with pytest.raises(DataError, match="'good'; allowed: the code of an option"):
        screen(ballots.assign(duty="good"))


def test_what_cannot_be_tested_is_noted() -> None:
    ballots = small().tables["ballots"]
    bare = screen(ballots.drop(columns=["rater_id", "batch", "ballot_id"]))
    assert [note.split(":")[0] for note in bare.notes] == [
        "no column rater_id", "no session in column batch", "no time in column batch", "no scheme",
    ]  # fmt: skip
    one = screen(ballots.assign(rater_id="one", category="R01"))
    assert any(note.startswith("fewer than two raters") for note in one.notes)
    lonely = screen(
        ballots[(ballots["category"] == "R01") & (ballots["mode"] == "central_session")]
    )
    assert any("R01-S01" in note and "not tested" in note for note in lonely.notes)


def test_columns_that_are_no_questions_are_left_alone() -> None:
    ballots, scheme = small().tables["ballots"], pm.Scheme.loads(small().scheme)
    more = ballots.assign(remark="none", device=7)
    pd.testing.assert_frame_equal(screen(more, scheme).flags, screen(ballots, scheme).flags)


def test_bad_arguments_are_named() -> None:
    ballots = small().tables["ballots"]
    for argument, text in (({"alpha": 1.0}, "alpha: found 1.0"), ({"window": 0}, "window: found 0"),
                           ({"least": 1}, "least: found 1"),
                           ({"most_raters": 1}, "most_raters: found 1")):  # fmt: skip
        with pytest.raises(PerfmethodError, match=text):
            screen(ballots, **argument)  # type: ignore[arg-type]


def test_a_year_without_ballots_is_refused() -> None:
    scheme = pm.Scheme.loads(
        'format = 1\nclasses.city = {}\nindicators.roads = { rule = { method = "identity" } }'
    )
    bare = pm.Year.from_frames(scheme, actuals=pd.DataFrame({"unit_id": ["A"], "roads": [90]}))
    with pytest.raises(DataError, match="no table 'ballots'; allowed: a year with ballots"):
        screen(bare)
    with pytest.raises(DataError, match="no table 'ballots'"):
        effect(bare)


def test_fewer_raters_compared_pair_by_pair_still_find_the_session() -> None:
    result = screen(synthetic_year(seed=2009).tables["ballots"], most_raters=60)
    assert len(named(result, "copied session")) == 1


# --- pictures


def test_pictures(found: Screening) -> None:
    before = dict(matplotlib.rcParams)
    timeline = found.plot(lang="en")
    assert {text.get_text() for text in timeline.texts} == named(found, "burst")
    assert timeline.get_title(loc="left") == "2 units had bursts of online ballots"
    for lang, first in (("en", "straight-lining"), ("zh", "直线作答")):
        cells = found.plot("flags", lang=lang).tables[0].get_celld()
        assert cells[1, 0].get_text().get_text() == first
    assert dict(matplotlib.rcParams) == before
    with pytest.raises(PerfmethodError, match="plot 'flag'; allowed: did you mean 'flags'"):
        found.plot("flag")


def test_picture_of_the_effect(year: pm.Year, found: Screening) -> None:
    table = effect(year, found, kinds=["burst"])
    axes = screening_effect(table, language="en", top=5)
    assert len(axes.patches) == 5
    widest = max(axes.patches, key=lambda bar: abs(bar.get_width()))
    assert widest.get_width() == table.loc[table["total_change"].abs().idxmax(), "total_change"]
    with pytest.raises(PerfmethodError, match="no column 'set_aside'"):
        screening_effect(table.drop(columns="set_aside"))


def test_pictures_of_nothing_are_refused() -> None:
    nothing = screen(small().tables["ballots"].drop(columns="batch"))
    with pytest.raises(PerfmethodError, match="no row"):
        nothing.plot("timeline")
    with pytest.raises(PerfmethodError, match="no column 'begin'"):
        vote_timeline(pd.DataFrame({"unit": ["A"]}))
    with pytest.raises(PerfmethodError, match="no row"):
        flag_table(nothing.flags.head(0))
