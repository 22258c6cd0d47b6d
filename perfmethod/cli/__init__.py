"""Command line: parse, call, print."""

from perfmethod.cli.main import main

__all__ = ["main"]
