"""From totals to ranks and grades: places spread over pools, ties shown, quotas filled.

Arrays only: nothing here knows a scheme. Units are the last axis, draws may lead.
"""

from perfmethod.grading.apportionment import ALIASES, DIVISORS, METHODS, Apportionment, apportion
from perfmethod.grading.carry import Carried, apportion_carried, carry_over, lot
from perfmethod.grading.cuts import Cuts, cuts
from perfmethod.grading.merit import ByMerit, next_candidates, right_and_merit
from perfmethod.grading.places import EDGE_TIES, VETOED_PLACES, Graded, Step, assign
from perfmethod.grading.ranking import rank, ties

__all__ = [
    "ALIASES",
    "DIVISORS",
    "EDGE_TIES",
    "METHODS",
    "VETOED_PLACES",
    "Apportionment",
    "ByMerit",
    "Carried",
    "Cuts",
    "Graded",
    "Step",
    "apportion",
    "apportion_carried",
    "assign",
    "carry_over",
    "cuts",
    "lot",
    "next_candidates",
    "rank",
    "right_and_merit",
    "ties",
]
