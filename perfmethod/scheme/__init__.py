"""The scheme as a document: one TOML file holds everything that decides a score or a grade."""

from perfmethod.scheme.document import Scheme
from perfmethod.scheme.proposal import Proposal

__all__ = ["Proposal", "Scheme"]
