"""The second opinion: both models on one survey, planted severities, grades, figures."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from scipy import stats

import perfmethod as pm
from perfmethod import plots
from perfmethod.errors import PerfmethodError
from perfmethod.severity import SecondOpinion, Severity, second_opinion, severity
from perfmethod.synthetic import SyntheticYear, synthetic_year
from tests.severity_surveys import ordinal_survey

ITEM_SD, POINTS = 0.693, 14.0  # of the generator: what is independent in an answer, points a unit


@pytest.fixture(scope="module")
def planted() -> SyntheticYear:
    return synthetic_year(seed=5, ballots=6_000)


@pytest.fixture(scope="module")
def year(planted: SyntheticYear) -> pm.Year:
    ballots = planted.tables["ballots"]
    flawed = ballots["ballot_id"].isin(planted.truth["ballots"]["ballot_id"])
    tables = {**planted.tables, "ballots": ballots[~flawed]}  # copied and stuffed ones
    return pm.Year.from_frames(pm.Scheme.loads(planted.scheme), **tables)


@pytest.fixture(scope="module")
def opinion(year: pm.Year) -> SecondOpinion:
    return second_opinion(year, model="cumulative", link="probit", min_cell=1)


def test_planted_severities_are_recovered_on_the_latent_scale(
    planted: SyntheticYear, opinion: SecondOpinion
) -> None:
    truth = planted.truth["categories"].set_index("category")["severity"].astype(float)
    found = opinion.categories
    true = truth[found.index] - truth[found.index].mean()
    z = (found["latent"] * ITEM_SD * POINTS - true) / (found["latent_error"] * ITEM_SD * POINTS)
    assert np.abs(z).max() < 3.2
    assert 3 < (z**2).sum() < 30  # chi-square, 12 degrees of freedom
    assert abs(found["latent"].sum()) < 1e-9


def test_both_models_tell_one_story(opinion: SecondOpinion) -> None:
    units, first = opinion.units, opinion.first
    assert opinion.fit.converged
    assert opinion.agreement["units"].sum() == 49
    assert (opinion.agreement["spearman"] > 0.97).all()
    assert np.abs(units["fair"] - units["adjusted"]).max() < units["fair_error"].max()
    by_hand = {
        name: stats.spearmanr(part["adjusted"], part["fair"]).statistic
        for name, part in units.groupby("class")
    }
    assert opinion.agreement["spearman"].to_dict() == by_hand
    assert opinion.most_places == (units["rank_fair"] - units["rank_adjusted"]).abs().max()
    np.testing.assert_allclose(units["raw"], first.units["raw"])
    assert repr(opinion).startswith("<SecondOpinion (cumulative probit mixed model): rank")


def test_grades_come_from_the_scoring_core(year: pm.Year, opinion: SecondOpinion) -> None:
    grades = opinion.grades
    assert grades is not None
    plain = pm.evaluate(year).scores["grade"]
    assert (grades["raw"] == plain[grades.index]).all()
    # the slow way: one version at a time
    table = opinion.first.dimensions["adjusted"]
    values = {f"review.{u}.{d}": [value] for (u, d), value in table.items()}
    alone = pm.simulate(year, values)
    assert alone.grade is not None
    names = np.array(alone.levels)[alone.grade[0]]
    assert grades["adjusted"].tolist() == names.tolist()
    assert opinion.changed("raw") == ()
    expected = tuple(grades.index[grades["fair"] != grades["raw"]])
    assert opinion.changed("fair") == expected
    assert list(opinion.to_frame().filter(like="grade_")) == [
        "grade_raw", "grade_adjusted", "grade_shrunken", "grade_fair",
    ]  # fmt: skip
    with pytest.raises(PerfmethodError, match="version: found 'mean'"):
        opinion.changed("mean")


@pytest.mark.parametrize("model", ["rating_scale", "partial_credit"])
def test_rasch_models_of_a_table_of_ballots(model: str) -> None:
    survey = ordinal_survey(8, units=6, categories=3, raters=150)
    found = second_opinion(
        survey.ballots, option_scores=survey.option_scores, min_cell=1, model=model
    )
    assert found.fit.converged
    assert found.grades is None
    assert stats.spearmanr(found.units["measure"], survey.units).statistic > 0.8
    assert (np.diff(found.categories["latent"]) > 0).all()
    # means of expected scores and linear severities: the same to a fraction of their errors
    apart = found.categories["fair_severity"] - found.categories["severity"]
    assert (apart.abs() < found.categories["standard_error"]).all()
    with pytest.raises(PerfmethodError, match="grades: found none"):
        found.changed()


def test_what_does_not_belong_together_is_refused() -> None:
    survey = ordinal_survey(8, units=4, categories=2, raters=40)
    options = {"option_scores": survey.option_scores, "min_cell": 1}
    first = severity(survey.ballots, **options)
    with pytest.raises(PerfmethodError, match="found option_scores, min_cell with first"):
        second_opinion(survey.ballots, first, **options)
    with pytest.raises(PerfmethodError, match="did you mean 'cumulative'"):
        second_opinion(survey.ballots, first, model="cumulated")


def test_a_result_of_another_year_is_refused(year: pm.Year, opinion: SecondOpinion) -> None:
    with pytest.raises(PerfmethodError, match="found a result of another source"):
        second_opinion(year.with_scheme(year.scheme), opinion.first)


# --- figures

MAP = pd.DataFrame(
    {"category": ["网民", "市民"], "severity": [1.0, -1.0], "lower": [0.5, -1.6],
     "upper": [1.5, -0.4], "rater_low": [-4.0, np.nan], "rater_high": [6.0, np.nan]}
)  # fmt: skip
SCORED = pd.DataFrame(
    {"unit": ["民政局", "教育局"], "raw": [88.0, 86.0], "adjusted": [87.5, 87.0],
     "lower": [86.5, 86.0], "upper": [88.5, 88.0]}
)  # fmt: skip


def marks(ax) -> dict[str, np.ndarray]:
    return {str(c.get_gid()): np.asarray(c.get_offsets()) for c in ax.collections
            if len(c.get_offsets())}  # fmt: skip


def test_severity_map_places_every_mark() -> None:
    ax = plots.severity_map(MAP.assign(second=[0.9, -0.9]), language="en", level=0.9)
    found = marks(ax)
    assert found["severity"].tolist() == [[1.0, 0.0], [-1.0, 1.0]]
    assert found["second"][:, 0].tolist() == [0.9, -0.9]
    text = [t.get_text() for t in ax.get_figure().legends[0].get_texts()]
    assert text == ["middle 80 % of raters", "90 % interval", "category's severity",
                    "ordinal model"]  # fmt: skip


def test_adjusted_scores_place_every_mark() -> None:
    ax = plots.adjusted_scores(SCORED.assign(fair=[87.4, 87.1]))
    found = marks(ax)
    assert found["raw"][:, 0].tolist() == [88.0, 86.0]
    assert found["adjusted"][:, 0].tolist() == [87.5, 87.0]
    assert found["fair"][:, 0].tolist() == [87.4, 87.1]
    assert ax.get_xlabel() == "评议得分"


@pytest.mark.parametrize("draw", [plots.severity_map, plots.adjusted_scores])
def test_figures_refuse_what_they_cannot_draw(draw) -> None:
    with pytest.raises(PerfmethodError, match="no column"):
        draw(pd.DataFrame({"x": [1]}))
    table = MAP if draw is plots.severity_map else SCORED
    with pytest.raises(PerfmethodError, match="language 'fr'"):
        draw(table, language="fr")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_figures_of_results_say_their_finding(opinion: SecondOpinion, lang: str) -> None:
    first: Severity = opinion.first
    for result, kind in (
        (first, "categories"), (first, "units"), (opinion, "categories"), (opinion, "units"),
    ):  # fmt: skip
        ax = result.plot(kind, lang=lang)
        assert any(c.isdigit() for c in ax.get_title("left"))
        figure = ax.get_figure(root=True)
        assert isinstance(figure, Figure)
        figure.savefig(io.BytesIO())  # a glyph that the font lacks would warn
    drawn = marks(opinion.plot("units", lang=lang))
    order = first.units.sort_values(["class", "adjusted"], ascending=[True, False]).index
    np.testing.assert_allclose(drawn["fair"][:, 0], opinion.units.loc[order, "fair"])
    top = first.plot("categories", lang=lang).get_yticklabels()[0].get_text()
    code = str(first.categories["severity"].idxmax())
    assert top.startswith(code)
    assert len(top) > len(code)  # with its name
    with pytest.raises(PerfmethodError, match="kind: found 'unit'"):
        first.plot("unit")
