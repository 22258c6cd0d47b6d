"""Which parts of an evaluated year compare all its units, and which every group has to itself.

One rule for every analysis that compares groups. What the scheme says of a node (``assessors``)
stands; of other nodes the year tells which leaves all units of a class hold, and which no two
groups share. No name of a node decides anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from perfmethod.errors import PerfmethodError, suggest

if TYPE_CHECKING:
    from perfmethod.core import Structure
    from perfmethod.scoring.evaluate import Evaluation
    from perfmethod.scoring.plan import ClassPlan

__all__ = ["anchors_of", "class_of", "class_plan", "labels_of", "panels_of"]


def anchors_of(
    evaluation: Evaluation,
    class_id: str | None = None,
    *,
    leave_out: Sequence[str] = (),
    without: Sequence[str] = (),
) -> tuple[str, ...]:
    """Nodes on which all units are judged alike: the anchors between groups.

    These are the highest nodes of the tree, single indicators left out, all of whose leaves are
    dimensions of the shared survey or indicators that every unit of the class holds (an indicator
    has one rule, so all are scored by the same), and on which every unit has a score. Ratings from
    inside are none by themselves, for a group's own leader may be among the raters; nor is what
    lies below a node with ``assessors = "own"``. Where the scheme marks nodes of a class with
    ``assessors = "shared"``, these are its anchors and no others.

    Parameters
    ----------
    evaluation : Evaluation
    class_id : str, optional
        By default units of all classes are to be compared: then a node must stand in each of them,
        over the same indicators unless the scheme marks it everywhere. Dimensions of the survey may
        differ, as where one public is asked other questions about other classes.
    leave_out : sequence of str
        Units that are not compared.
    without : sequence of str
        Nodes that are known not to be shared, whoever holds their indicators.

    Returns
    -------
    tuple of str
        Empty where nothing is shared, and where everything is: then totals compare the units.

    Raises
    ------
    PerfmethodError
        If there is no such class.

    Examples
    --------
    >>> import perfmethod as pm
    >>> scheme = pm.Scheme.loads('''
    ... format = 1
    ... classes.city.nodes = { everyone = {}, own = {} }
    ... [indicators]
    ... law = { parent = "everyone", rule = { method = "identity" } }
    ... roads = { parent = "own", rule = { method = "identity" } }
    ... schools = { parent = "own", rule = { method = "identity" } }
    ... ''')
    >>> tasks = pd.DataFrame({"unit_id": list("AABB"), "actual": [80.0, 70.0, 60.0, 90.0],
    ...                       "indicator_id": ["law", "roads", "law", "schools"]})
    >>> units = pd.DataFrame({"unit_id": ["A", "B"], "group": ["G1", "G2"]})
    >>> found = pm.evaluate(pm.Year.from_frames(scheme, tasks=tasks, units=units))
    >>> anchors_of(found), panels_of(found)
    (('everyone',), ('own',))
    """
    every = evaluation._plan.classes
    parts = every if class_id is None else (class_plan(evaluation, class_id),)
    parts = tuple(part for part in parts if not _members(evaluation, part, leave_out).empty)
    found = [_shared(evaluation, part, leave_out, without) for part in parts]
    if not found or all(whole for _, whole in found):
        return ()
    alike = [node for node in found[0][0] if len({shared.get(node) for shared, _ in found}) == 1]
    return _highest(alike, parts)


def panels_of(
    evaluation: Evaluation, class_id: str | None = None, by: str | pd.Series = "group"
) -> tuple[str, ...]:
    """Nodes that every group has to itself: what its own panel scores, by its own targets.

    These are the nodes that the scheme marks with ``assessors = "own"``; where a class has none,
    the highest nodes, single indicators left out, none of whose indicators is held in two groups,
    and which are not marked as shared. Nothing in their scores compares the groups. That a panel of
    the group scores them is what a year cannot show; a scheme can say it.

    Parameters
    ----------
    evaluation : Evaluation
    class_id : str, optional
        By default the largest class in which units are in two groups or more.
    by : str or Series, default "group"
        Column of the units, or labels by unit_id.

    Returns
    -------
    tuple of str
        Empty where there is none.

    Raises
    ------
    PerfmethodError
        If there is no such class or column, or no class with two groups.
    """
    labels, name = labels_of(evaluation, by)
    part = class_plan(evaluation, class_of(evaluation, labels, name, class_id))
    units = evaluation.scores.index[part.units]
    known = _nodes(evaluation, part)
    stated = [node for node in known if known[node].get("assessors") == "own"]
    if stated:
        return _highest(stated, (part,))
    others = _marked(evaluation, part, "shared")
    code, _ = pd.factorize(labels.reindex(units))
    held = {leaf.node: set(code[leaf.held > 0].tolist()) - {-1} for leaf in part.leaves}
    fed = {*part.survey, *part.internal, *others}

    def separate(node: int) -> bool:
        leaves = _leaves(part.tree, node)
        groups = [held.get(leaf, set()) for leaf in leaves]
        apart = fed.isdisjoint(leaves) and all(len(one) <= 1 for one in groups)
        return apart and len(set().union(*groups)) > 1

    at = {name: i for i, name in enumerate(part.tree.names)}
    return _highest([node for node in known if separate(at[node])], (part,))


def labels_of(evaluation: Evaluation, by: str | pd.Series) -> tuple[pd.Series, str]:
    """Labels of all units by a column, blank ones missing, and what they are called.

    Raises
    ------
    PerfmethodError
        If there is no such column.
    """
    index, units = evaluation.scores.index, evaluation.year.units
    if not isinstance(by, str):
        return by.reindex(index), str(by.name or "attribute")
    if by not in units:
        raise PerfmethodError(f"found '{by}'; allowed: {suggest(by, map(str, units.columns))}")
    labels = units[by].reindex(index)
    return labels.mask(labels.isin([""])), by


def class_of(
    evaluation: Evaluation, labels: pd.Series, name: str, class_id: str | None = None
) -> str:
    """The class that is asked for, or the largest in which an attribute has two groups or more.

    Parameters
    ----------
    evaluation : Evaluation
    labels : Series
        Group of every unit, by unit_id.
    name : str
        What the attribute is called.
    class_id : str, optional

    Raises
    ------
    PerfmethodError
        If there is no such class, or it does not have two groups.
    """
    classes = evaluation.scores["class"]
    known = sorted(classes.unique())
    if class_id is not None and class_id not in known:
        raise PerfmethodError(f"found class '{class_id}'; allowed: {suggest(class_id, known)}")
    if class_id is not None:
        groups = sorted(labels[classes == class_id].dropna().astype(str).unique())
        if len(groups) < 2:
            raise PerfmethodError(
                f"found the groups {groups} of '{name}' in '{class_id}'; allowed: two or more"
            )
        return class_id
    number = labels.groupby(classes).nunique()
    able = classes.value_counts()[number.index[number >= 2]]
    if able.empty:
        raise PerfmethodError(
            f"found no class in which '{name}' has two groups; allowed: an attribute that differs "
            "between units of one class"
        )
    return str(able.idxmax())


def class_plan(evaluation: Evaluation, class_id: str) -> ClassPlan:
    """Structure and tasks of a class.

    Raises
    ------
    PerfmethodError
        If there is no such class.
    """
    found = {part.class_id: part for part in evaluation._plan.classes}
    if class_id not in found:
        raise PerfmethodError(f"found class '{class_id}'; allowed: {suggest(class_id, found)}")
    return found[class_id]


def _leaves(tree: Structure, node: int) -> set[int]:
    """Leaves under a node; the node itself where it is one."""
    return {n for n in _downward(tree, node) if not tree.children[n]}


def _members(evaluation: Evaluation, part: ClassPlan, leave_out: Sequence[str]) -> pd.Index:
    units = evaluation.scores.index[part.units]
    return units[~units.isin(list(leave_out))]


def _nodes(evaluation: Evaluation, part: ClassPlan) -> Mapping[str, Mapping[str, Any]]:
    """Nodes of a class as its scheme writes them; indicators are none."""
    found: Mapping[str, Mapping[str, Any]] = evaluation.year.scheme.document["classes"][
        part.class_id
    ].get("nodes", {})
    return found


def _marked(
    evaluation: Evaluation, part: ClassPlan, word: str, others: Sequence[str] = ()
) -> set[int]:
    """Leaves below the nodes of which the scheme says who assesses them, and below others."""
    nodes = _nodes(evaluation, part)
    marked = {node for node, entry in nodes.items() if entry.get("assessors") == word}
    at = [i for i, name in enumerate(part.tree.names) if name in marked.union(others)]
    return {leaf for node in at for leaf in _leaves(part.tree, node)}


def _shared(
    evaluation: Evaluation, part: ClassPlan, leave_out: Sequence[str], without: Sequence[str]
) -> tuple[dict[str, frozenset[str] | str], bool]:
    """What all units of a class share, with the indicators below it, and whether that is all."""
    units, nodes = _members(evaluation, part, leave_out), _nodes(evaluation, part)
    scores = evaluation.nodes.dropna(subset=["score"]).groupby("node")["unit_id"].agg(set)
    known = {node for node in nodes if set(units) <= scores.get(node, set())}
    below = {node: _leaves(part.tree, at) for at, node in enumerate(part.tree.names)}
    own = _marked(evaluation, part, "own", without)
    stated = [node for node in nodes if nodes[node].get("assessors") == "shared"]
    if stated:
        kept = [node for node in stated if node in known and own.isdisjoint(below[node])]
        return dict.fromkeys(kept, "stated"), False
    mine = ~evaluation.scores.index[part.units].isin(list(leave_out))
    leaves = set(part.survey)
    leaves |= {leaf.node for leaf in part.leaves if bool((leaf.held[mine] > 0).all())}
    leaves -= own
    found: dict[str, frozenset[str] | str] = {}
    for node in known:
        if below[node] <= leaves:
            over = below[node] - set(part.survey)
            found[node] = frozenset(part.tree.names[leaf] for leaf in over)
    return found, below[""] <= leaves


def _highest(nodes: Sequence[str], parts: Sequence[ClassPlan]) -> tuple[str, ...]:
    """Nodes that in no class lie below another of them, in the order of the first class."""
    lower: set[str] = set()
    for part in parts:
        names = part.tree.names
        for node in nodes:
            lower |= {names[n] for n in _downward(part.tree, names.index(node))} - {node}
    tree = parts[0].tree
    wanted = set(nodes) - lower
    return tuple(tree.names[n] for n in _downward(tree, 0) if tree.names[n] in wanted)


def _downward(tree: Structure, node: int) -> Iterator[int]:
    """A node and all below it, each child right after its parent."""
    yield node
    for child in tree.children[node]:
        yield from _downward(tree, child)
