"""The ASEM index as a year: another program's numbers, from raw data to ranks.

51 countries, 49 indicators, 8 pillars, 2 sub-indices, 63 missing cells: the index of sustainable
connectivity of the JRC, computed by COINr 1.1.14 (Becker et al. 2022, *JOSS* 7(78), 4567). It is a
year with most parts left out: no targets, no survey, no grades.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import perfmethod as pm
from perfmethod.core import BLOCK
from perfmethod.grading import rank

PILLARS = {
    "Conn": ["Physical", "ConEcFin", "Political", "Instit", "P2P"],
    "Sust": ["Environ", "Social", "SusEcFin"],
}
LEVELS = [pillar for below in PILLARS.values() for pillar in below] + [*PILLARS, "total"]
CLOSE = {"rtol": 1e-12, "atol": 0.0}
RuleOf = Callable[[pd.Series], dict[str, Any]]


class Asem:
    """The published files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.meta = self.table("ASEM_iMeta", index="iCode")
        self.indicators = self.meta[self.meta["Type"] == "Indicator"]
        data = self.table("ASEM_iData").sort_index()
        denominators = self.meta.index[self.meta["Type"] == "Denominator"]
        self.units = data[denominators].rename_axis("unit_id").reset_index()
        self.actuals = data[self.indicators.index].rename_axis("unit_id").reset_index()

    def table(self, name: str, index: str = "uCode") -> pd.DataFrame:
        return pd.read_csv(self.folder / f"{name}.csv").set_index(index)

    def scheme(
        self, rule: RuleOf, *, raw: bool = False, power: float = 1.0, given: bool = False
    ) -> pm.Scheme:
        """Scheme of the index; `raw`: not denominated; `given`: values that are scores already."""
        nodes = {
            code: {"name": row["iName"], "weight": float(row["Weight"]), "power": power}
            | ({} if row["Parent"] == "Index" else {"parent": row["Parent"]})
            for code, row in self.meta[self.meta["Type"] == "Aggregate"].iterrows()
            if code != "Index"
        }
        indicators: dict[str, Any] = {}
        for code, row in self.indicators.iterrows():
            entry = {"parent": row["Parent"], "weight": float(row["Weight"]), "rule": rule(row)}
            if float(row["Direction"]) < 0 and not given:
                entry["direction"] = "negative"
            if isinstance(row["Denominator"], str) and not (raw or given):
                entry["per"] = row["Denominator"]
            indicators[str(code)] = entry
        country = {"power": power, "nodes": nodes}
        return pm.Scheme(
            {"format": 1, "base": 100, "classes": {"country": country}, "indicators": indicators}
        )

    def year(self, scheme: pm.Scheme, actuals: pd.DataFrame | None = None) -> pm.Year:
        actuals = self.actuals if actuals is None else actuals
        return pm.Year.from_frames(scheme, units=self.units, actuals=actuals)


@pytest.fixture(scope="module")
def asem(reference: Path) -> Asem:
    return Asem(reference / "asem")


def scores(evaluation: pm.Evaluation) -> pd.DataFrame:
    """Scores by unit and node."""
    return evaluation.nodes.pivot(index="unit_id", columns="node", values="score")


def assert_levels(found: pd.DataFrame, published: pd.DataFrame) -> None:
    published = published.rename(columns={"Index": "total"})
    assert sorted(published.columns) == sorted(LEVELS)
    np.testing.assert_allclose(found[LEVELS], published.loc[found.index, LEVELS], **CLOSE)


def assert_indicators(found: pd.DataFrame, published: pd.DataFrame, scale: float = 1.0) -> None:
    wanted = scale * published.loc[found.index]
    assert published.shape == (51, 49)
    np.testing.assert_allclose(
        found[published.columns], wanted, rtol=1e-12, atol=scale * 1e-15, equal_nan=True
    )


def one_to_hundred(_: pd.Series) -> dict[str, Any]:
    return {"method": "minmax", "to": [1, 100]}


def as_given(_: pd.Series) -> dict[str, Any]:
    return {"method": "identity"}


def test_from_raw_data_to_the_index(asem: Asem) -> None:
    """Divided by the countries' size, stretched to 1-100, averaged over what is there."""
    evaluation = pm.evaluate(asem.year(asem.scheme(one_to_hundred)))
    found, published = scores(evaluation), asem.table("aggNA_amean_scores")
    assert_indicators(found, asem.table("aggNA_input_normalised_1_100"))
    assert_levels(found, published)
    total = evaluation.scores["total"]
    np.testing.assert_allclose(total, published.loc[total.index, "Index"], **CLOSE)
    ranks = published["Index"].rank(ascending=False, method="min").astype(int)
    assert evaluation.scores["rank"].to_dict() == ranks.to_dict()
    # 63 cells of the data, and two of Laos that its unknown energy use divides
    assert (evaluation.notes["kind"] == "no_value").sum() == 63 + 2


@pytest.mark.parametrize(
    ("name", "power", "ranked"),
    [("agg_amean", 1.0, True), ("agg_gmean", 0.0, True), ("agg_genmean_pm1", -1.0, False)],
)
def test_means_of_the_imputed_scores(asem: Asem, name: str, power: float, ranked: bool) -> None:
    given = asem.table("agg_input_normalised_1_100").rename_axis("unit_id").reset_index()
    evaluation = pm.evaluate(asem.year(asem.scheme(as_given, power=power, given=True), given))
    found = scores(evaluation)
    assert_levels(found, asem.table(f"{name}_scores"))
    if ranked:
        ranks = asem.table(f"{name}_ranks").rename(columns={"Index": "total"}).loc[found.index]
        for level in LEVELS:
            assert rank(found[level].to_numpy()).tolist() == ranks[level].tolist(), level
        assert evaluation.scores["rank"].tolist() == ranks["total"].tolist()


def test_the_mean_of_given_scores_with_missing_ones(asem: Asem) -> None:
    given = asem.table("aggNA_input_normalised_1_100").rename_axis("unit_id").reset_index()
    evaluation = pm.evaluate(asem.year(asem.scheme(as_given, given=True), given))
    assert_levels(scores(evaluation), asem.table("aggNA_amean_scores"))


# scale: COINr's percentile ranks and distances go from 0 to 1
NORMALIZED: Mapping[str, tuple[dict[str, Any], float]] = {
    "norm_minmax_0_100": ({"method": "minmax"}, 1),
    "norm_minmax_1_100": ({"method": "minmax", "to": [1, 100]}, 1),
    "norm_zscore_0_1": ({"method": "zscore"}, 1),
    "norm_prank_average": ({"method": "percentile_rank"}, 100),
    "norm_rank_min": ({"method": "rank"}, 1),
    "norm_dist2max": ({"method": "distance_to_maximum"}, 100),
}


@pytest.mark.parametrize("name", NORMALIZED)
def test_scores_of_the_indicators(asem: Asem, name: str) -> None:
    rule, scale = NORMALIZED[name]
    evaluation = pm.evaluate(asem.year(asem.scheme(lambda _: rule, raw=True)))
    assert_indicators(scores(evaluation), asem.table(name), scale)


def goalposts_of(asem: Asem) -> RuleOf:
    posts = asem.table("norm_params_iMeta", index="iCode")

    def rule(row: pd.Series) -> dict[str, Any]:
        lower, upper = posts.loc[row.name, ["goalpost_lower", "goalpost_upper"]]
        return {"method": "goalposts", "lower": float(lower), "upper": float(upper)}

    return rule


def test_scores_between_goalposts(asem: Asem) -> None:
    evaluation = pm.evaluate(asem.year(asem.scheme(goalposts_of(asem), raw=True)))
    assert_indicators(scores(evaluation), asem.table("norm_goalposts_q10_q90_trunc"))


def test_a_thousand_sets_of_weights(asem: Asem) -> None:
    """The 1,000 published score columns are draws, with replacement, from the 1,000 weight sets.

    Weights of pillars and sub-indices vary by a quarter; the indicators' scores go from 0 to 100.
    """
    sets = asem.table("ua_weights_N1000_weightsets", index="Index")
    published = asem.table("ua_weights_N1000_scores")
    given = ((asem.table("agg_input_normalised_1_100") - 1) / 0.99).rename_axis("unit_id")
    year = asem.year(asem.scheme(as_given, given=True), given.reset_index())
    varied = [level for level in LEVELS if level != "total"]
    assert (sets.drop(columns=varied) == 1).all(axis=None)
    simulation = pm.simulate(
        year, {f"classes.country.nodes.{n}.weight": sets[n].to_numpy() for n in varied}
    )
    published = published.loc[list(simulation.units)]
    total = pm.evaluate(year).scores["total"]
    np.testing.assert_allclose(total, published.pop("Nominal"), **CLOSE)
    columns = published.to_numpy().T
    gaps = np.abs(simulation.total[:, None] - columns).max(-1)  # (set, published column)
    used = gaps.argmin(0)
    np.testing.assert_allclose(simulation.total[used], columns, **CLOSE)
    assert 600 < len(set(used.tolist())) < 665  # 632 are expected: 1000 (1 - 1/e)
    ranks = simulation.rank[used]
    assert ranks.tolist() == rank(columns).tolist()
    statistics = asem.table("ua_weights_N1000_rankstats").loc[list(simulation.units)]
    np.testing.assert_allclose(ranks.mean(0), statistics["Mean"], rtol=1e-12)
    for column, q in (("Q5", 0.05), ("Median", 0.5), ("Q95", 0.95)):
        np.testing.assert_allclose(np.quantile(ranks, q, axis=0), statistics[column], rtol=1e-12)


def test_the_year_written_as_files_scores_the_same(asem: Asem, tmp_path: Path) -> None:
    scheme = asem.scheme(one_to_hundred)
    scheme.save(tmp_path / "scheme.toml")
    asem.units.to_csv(tmp_path / "units.csv", index=False)
    asem.actuals.to_csv(tmp_path / "actuals.csv", index=False)
    read = pm.Year.load(tmp_path, pm.Scheme.load(tmp_path / "scheme.toml"))
    assert read.scheme.digest == scheme.digest
    year = asem.year(scheme)
    assert read.digest == year.digest
    found, wanted = pm.evaluate(read).scores, pm.evaluate(year).scores
    assert found["total"].tolist() == wanted["total"].tolist()
    weights = {"classes.country.nodes.Social.weight": np.linspace(0.5, 2, BLOCK + 1)}
    assert np.array_equal(pm.simulate(read, weights).total, pm.simulate(year, weights).total)


AUSTRIA = {
    "Physical": 41.73693422249071,
    "ConEcFin": 26.924757446509769,
    "Political": 78.4437772089149,
    "Instit": 77.761595010332883,
    "P2P": 54.511525780498431,
    "Environ": 69.780363278825973,
    "Social": 73.036513097820759,
    "SusEcFin": 63.252682061940774,
}


def test_one_country_from_its_published_pillars() -> None:
    """Austria, agg_amean_scores: connectivity, sustainability and the index."""
    nodes = {name: {} for name in PILLARS}
    indicators = {p: {"parent": top, "rule": {"method": "identity"}}
                  for top, below in PILLARS.items() for p in below}  # fmt: skip
    scheme = pm.Scheme({"format": 1, "classes": {"c": {"nodes": nodes}}, "indicators": indicators})
    actuals = pd.DataFrame([{"unit_id": "AUT"} | AUSTRIA])
    row = pm.evaluate(pm.Year.from_frames(scheme, actuals=actuals)).scores.loc["AUT"]
    assert row["Conn"] == pytest.approx(55.875717933749343, rel=1e-12)
    assert row["Sust"] == pytest.approx(68.6898528128625, rel=1e-12)
    assert row["total"] == pytest.approx(62.28278537330592, rel=1e-12)
