"""A slow, obvious twin of the scoring: fractions, loops and the standard library only.

It reads a year folder by itself and writes the rules of that folder's scheme out once more, so it
shares no line with what it checks. Every number is exact; the fast path must come to the same.
"""

from __future__ import annotations

import csv
import gzip
import io
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

import perfmethod as pm
from tests.small_year import write_small_year

F = Fraction
ROOT = Path(__file__).resolve().parents[1]
Rows = list[dict[str, str]]
Score = Fraction | None


def exact(value: Any) -> Fraction:
    return F(str(value))  # 1.1 is eleven tenths, as the document says


def read(folder: Path, name: str) -> Rows:
    for path in (folder / f"{name}.csv", folder / f"{name}.csv.gz"):
        if path.exists():
            raw = path.read_bytes()
            text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8")
            return list(csv.DictReader(io.StringIO(text)))
    return []


def mean(pairs: Iterable[tuple[Fraction, Score]]) -> Score:
    """Mean of (weight, score); what is missing gives its weight to the others."""
    there = [(w, s) for w, s in pairs if s is not None and w > 0]
    weight = sum(w for w, _ in there)
    return sum(w * s for w, s in there) / weight if weight else None


def ladder(
    share: Fraction, bounds: list[Fraction], low: list[Fraction], top: list[Fraction]
) -> Fraction:
    band = sum(share >= b for b in bounds)
    if band in (0, len(bounds)):
        return low[band]
    way = (share - bounds[band - 1]) / (bounds[band] - bounds[band - 1])
    return low[band] + way * (top[band] - low[band])


def rule_score(entry: dict[str, Any], x: Fraction, target: Fraction | None) -> Fraction:  # noqa: C901
    """Score of an actual value by its indicator's rule."""
    rule = {k: v for k, v in entry["rule"].items() if k not in ("method", "names")}
    p = {k: [exact(e) for e in v] if isinstance(v, list) else exact(v) for k, v in rule.items()}
    less_is_better = entry.get("direction") == "negative"
    full, none = F(100), F(0)
    match entry["rule"]["method"]:
        case "completion_ratio":
            done = target / x if less_is_better else x / target
            return full * min(done, p.get("cap", F(1)))
        case "threshold":
            return full if x >= target else none
        case "ceiling":
            assert less_is_better
            return full if x <= target else max(none, full * (2 - x / target))
        case "linear_deduction":
            missed = x - target if less_is_better else target - x
            return max(none, full - p["k"] * max(missed, none) / p["step"])
        case "growth_anchor":
            return max(none, min(p["at_target"] + p["per_point"] * (x - target), p["cap"]))
        case "interval":
            outside = max(p["lower"] - x, x - p["upper"], none)
            return max(none, full - p["k"] * outside)
        case "control_count":
            return max(none, full - p["k"] * x)
        case "checklist":
            return max(none, full - p["deduct"] * (p["items"] - x))
        case "levels":
            return p["scores"][int(x)]
        case "completion_ladder":
            return ladder(full * x / target, p["thresholds"], p["scores"], p["tops"])
        case method:
            raise AssertionError(f"no twin of {method}")


class Twin:
    """A year scored the slow way."""

    def __init__(self, folder: Path) -> None:
        self.scheme = tomllib.loads((folder / "scheme.toml").read_text(encoding="utf-8"))
        self.units = {row["unit_id"]: row for row in read(folder, "units")}
        self.tasks = {(r["unit_id"], r["indicator_id"]): r for r in read(folder, "tasks")}
        self.answers: Counter[tuple[str, ...]] = Counter()
        dimensions = {n["survey"] for c in self.scheme["classes"].values()
                      for n in c["nodes"].values() if "survey" in n}  # fmt: skip
        for ballot in read(folder, "ballots"):
            for dimension in dimensions:
                key = (ballot["unit_id"], dimension, ballot["category"], ballot[dimension])
                self.answers[key] += 1
        self.ratings = {
            (r["unit_id"], r["category"]): exact(r["score"]) for r in read(folder, "internal")
        }
        self.events = [r for r in read(folder, "adjustments") if r["status"] == "confirmed"]
        self.vetoes = [r for r in read(folder, "vetoes") if r["status"] == "confirmed"]
        assert self.scheme["survey"]["combine_modes"] == "ballots"
        assert self.scheme["certification"]["otherwise"] == "missing"
        assert self.scheme["missing_task"] == self.scheme["missing_value"] == "redistribute"

    def members(self, class_id: str) -> list[str]:
        return [u for u, row in self.units.items() if row["class"] == class_id]

    def task(self, unit: str, indicator: str) -> Score:
        """Score of one task, before any rule about missing values."""
        task, entry = self.tasks[unit, indicator], self.scheme["indicators"][indicator]
        certified = task["status"] in self.scheme["certification"]["scoring"]
        if not certified or not task["actual"]:
            return None
        if entry["rule"]["method"] == "levels":
            names = entry["rule"].get("names", ["A", "B", "C", "D"])
            return rule_score(entry, F(names.index(task["actual"])), None)
        heads = exact(self.units[unit][entry["per"]]) if "per" in entry else F(1)
        target = exact(task["target"]) if task["target"] else None
        return rule_score(entry, exact(task["actual"]) / heads, target)

    def leaf(self, unit: str, indicator: str) -> Score:
        score = self.task(unit, indicator)
        if score is None and self.scheme["indicators"][indicator].get("missing") == "class_mean":
            others = [self.task(u, indicator) for u in self.members(self.units[unit]["class"])
                      if (u, indicator) in self.tasks]  # fmt: skip
            return mean((F(1), s) for s in others)
        return score

    def survey(self, unit: str, dimension: str) -> Score:
        options = self.scheme["survey"]["options"]
        valid = {code: exact(o["score"]) for code, o in options.items() if "score" in o}
        pairs = []
        for category, entry in self.scheme["survey"]["categories"].items():
            votes = [
                (F(self.answers[unit, dimension, category, code]), s) for code, s in valid.items()
            ]
            pairs.append((self.category_weight(entry, unit), mean(votes)))
        return mean(pairs)

    def internal(self, unit: str) -> Score:
        categories = self.scheme["internal"]["categories"].items()
        return mean(
            (self.category_weight(e, unit), self.ratings.get((unit, c))) for c, e in categories
        )

    def category_weight(self, entry: dict[str, Any], unit: str) -> Fraction:
        weight = entry.get("weight", 1)
        return exact(weight[self.units[unit]["class"]] if isinstance(weight, dict) else weight)

    def node(self, unit: str, node: str = "") -> Score:
        """Score of a node: what feeds it, or the mean of what hangs on it and the unit has."""
        class_id = self.units[unit]["class"]
        nodes = self.scheme["classes"][class_id]["nodes"]
        if "survey" in nodes.get(node, {}):
            return self.survey(unit, nodes[node]["survey"])
        if "internal" in nodes.get(node, {}):
            return self.internal(unit)
        below = [(exact(e.get("weight", 1)), self.node(unit, n)) for n, e in nodes.items()
                 if e.get("parent", "") == node]  # fmt: skip
        for indicator, entry in self.scheme["indicators"].items():
            parent = (
                entry["parent"].get(class_id)
                if isinstance(entry["parent"], dict)
                else entry["parent"]
            )
            if parent == node and (unit, indicator) in self.tasks:
                share = exact(self.tasks[unit, indicator].get("weight") or 1)
                below.append((share * exact(entry.get("weight", 1)), self.leaf(unit, indicator)))
        return mean(below)

    def points(self, unit: str, kind: str) -> Fraction:
        """Bonus or deduction: capped item by item, then on the whole."""
        by_item: dict[str, Fraction] = defaultdict(F)
        for event in self.events:
            if event["unit_id"] == unit:
                by_item[event["item"]] += exact(event["points"])
        items = self.scheme["adjustments"]["items"]
        capped = [min(points, exact(items[i].get("cap", 10**9))) for i, points in by_item.items()
                  if items[i]["kind"] == kind]  # fmt: skip
        return min(sum(capped, F(0)), exact(self.scheme["adjustments"][f"{kind}_cap"]))

    def net(self, unit: str) -> Fraction:
        net = self.points(unit, "bonus") - self.points(unit, "deduction")
        cap = exact(self.scheme["adjustments"].get("net_cap", 10**9))
        return max(-cap, min(net, cap))

    def total(self, unit: str) -> Fraction:
        score = self.node(unit)
        assert score is not None
        return exact(self.scheme["base"]) / 100 * score + self.net(unit)

    def places(self) -> dict[str, int]:
        """The best grade's places by group: whole shares, then the largest remainders."""
        places = next(iter(self.scheme["grades"]["levels"].values()))["places"]
        sizes = Counter(row["group"] for row in self.units.values())
        shares = {g: F(places * n, len(self.units)) for g, n in sizes.items()}
        given = {g: int(share) for g, share in shares.items()}
        left = places - sum(given.values())
        by_rest = sorted(shares, key=lambda g: shares[g] - given[g], reverse=True)
        edge = [shares[g] - given[g] for g in by_rest[max(left - 1, 0) : left + 1]]
        assert len(set(edge)) == len(edge), "groups tie for a place"
        return {g: given[g] + (g in by_rest[:left]) for g in given}

    def grades(self, totals: dict[str, Fraction]) -> dict[str, str]:
        assert self.scheme["grades"]["vetoed_place"] == "next"
        levels = list(self.scheme["grades"]["levels"])
        worst = {u: 0 for u in self.units}  # the best grade that a veto leaves open
        for event in self.vetoes:
            veto = self.scheme["vetoes"][event["veto"]]
            best = levels.index(veto["grade"]) if veto["effect"] == "cap" else len(levels) - 1
            worst[event["unit_id"]] = max(worst[event["unit_id"]], best)
        found = {}
        for group, places in self.places().items():
            mine = [u for u, row in self.units.items() if row["group"] == group]
            ranked = sorted((u for u in mine if not worst[u]), key=totals.__getitem__, reverse=True)
            cut = {totals[u] for u in ranked[max(places - 1, 0) : places + 1]}
            assert len(cut) == len(ranked[max(places - 1, 0) : places + 1]), "units tie for a place"
            for u in mine:
                least = self.scheme["grades"]["levels"][levels[1]].get("least", 0)
                second = 1 if totals[u] >= least else 2
                found[u] = levels[0 if u in ranked[:places] else max(second, worst[u])]
        return found


def strain(folder: Path) -> Path:
    """Make every cap of the small year bind, and take values out of it."""
    changes = [
        ("scheme.toml", "bonus_cap = 50\ndeduction_cap = 50",
         "bonus_cap = 24\ndeduction_cap = 15\nnet_cap = 14.5"),
        ("adjustments.csv", "E001,C01,B01,10,confirmed,2009Q2",
         "E001,C01,B01,10,confirmed,\nE11,C01,B01,10,confirmed,\nE12,C01,B01,10,confirmed,\n"
         "E13,C01,K01,5,confirmed,\nE14,C01,K01,5,confirmed,"),
        ("adjustments.csv", "E002,D01,B02,5,confirmed,2009Q3",
         "E002,D01,B02,8,confirmed,\nE21,D01,B02,8,confirmed,\nE22,D01,B01,20,confirmed,"),
        ("adjustments.csv", "E003,D02,K01,5,confirmed,2009Q4",
         "E003,D02,K01,25,confirmed,\nE31,D03,B02,9,confirmed,\nE32,D03,B02,9,confirmed,"),
        ("tasks.csv", "C02,P002,800,", "C02,P002,,"),
        ("tasks.csv", "D01,P001,46.5,45,2,lead,certified,", "D01,P001,46.5,45,2,lead,disputed,"),
        ("internal.csv", "C01,I02,90,3\n", ""),
    ]  # fmt: skip
    for name, old, new in changes:
        text = (folder / name).read_text(encoding="utf-8")
        assert text.count(old) == 1, old
        (folder / name).write_text(text.replace(old, new), encoding="utf-8")
    return folder


@pytest.fixture(scope="module", params=["small", "strained", "2009"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if request.param == "2009":
        return ROOT / "data" / "2009"
    folder = write_small_year(tmp_path_factory.mktemp("year"))
    return strain(folder) if request.param == "strained" else folder


@pytest.fixture(scope="module")
def pair(folder: Path) -> tuple[Twin, pm.Evaluation]:
    year = pm.Year.load(folder, pm.Scheme.load(folder / "scheme.toml"))
    return Twin(folder), pm.evaluate(year)


def test_totals_grades_and_ranks(pair: tuple[Twin, pm.Evaluation]) -> None:
    twin, evaluation = pair
    scores = evaluation.scores
    totals = {unit: twin.total(unit) for unit in twin.units}
    assert list(totals) == list(scores.index)
    for unit, total in totals.items():
        assert abs(F(scores.at[unit, "total"]) - total) < F(1, 10**9)
        net = F(scores.at[unit, "bonus"]) - F(scores.at[unit, "deduction"])
        assert abs(net - twin.net(unit)) < F(1, 10**9)
    assert scores["grade"].to_dict() == twin.grades(totals)
    for column, by in (("rank", "class"), ("group_rank", "group")):
        ranks = {u: 1 + sum(totals[v] > totals[u] for v in totals if twin.units[v][by] == row[by])
                 for u, row in twin.units.items()}  # fmt: skip
        assert scores[column].to_dict() == ranks
    places = evaluation.quotas.set_index("pool")["places"]
    assert places.to_dict() == twin.places()


def test_every_node(pair: tuple[Twin, pm.Evaluation]) -> None:
    twin, evaluation = pair
    rows = 0
    for row in evaluation.nodes.itertuples():
        if row.node in twin.scheme["indicators"]:
            wanted = twin.leaf(row.unit_id, row.node)
        else:
            wanted = twin.node(row.unit_id, "" if row.node == "total" else row.node)
        assert (wanted is None) == (row.score != row.score), (row.unit_id, row.node)
        if wanted is not None:
            assert abs(F(row.score) - wanted) < F(1, 10**9), (row.unit_id, row.node)
        rows += 1
    assert rows > len(twin.tasks) + 3 * len(twin.units)
