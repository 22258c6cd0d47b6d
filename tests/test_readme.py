"""The README's code runs, and what it names exists."""

from __future__ import annotations

import re

import perfmethod as pm
from tests.conftest import ROOT

TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def test_first_cell_runs(monkeypatch, capsys):
    (cell,) = re.findall(r"```python\n(.*?)```", TEXT, re.S)
    monkeypatch.chdir(ROOT)
    exec(cell, {})
    assert "Transport Bureau" in capsys.readouterr().out


def test_named_files_and_folders_exist():
    for name in re.findall(
        r"`((?:data|docs|notebooks|perfmethod|tests|benchmarks)/[\w/.]*)`", TEXT
    ):
        assert (ROOT / name).exists(), name
    for picture in re.findall(r"!\[.*?\]\((.*?)\)", TEXT):
        assert (ROOT / picture).stat().st_size < 200_000


def test_every_command_is_in_the_table():
    from perfmethod.cli.main import _parser

    commands = _parser()._subparsers._group_actions[0].choices
    for command in commands:
        assert f"`perfmethod {command} " in TEXT


def test_every_public_name_resolves():
    for name in pm.__all__:
        assert getattr(pm, name) is not None
