"""What is installed, from which locks, and how run.py behaves when something is wrong."""

from __future__ import annotations

import ast
import importlib.util
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

import perfmethod

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ["requirements.lock", "requirements-test.lock", "requirements-lab.lock"]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def entries(lock: str) -> list[str]:
    """Return each requirement of a lock with its hashes, on one line."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    return [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def pins(lock: str) -> set[str]:
    """Return the requirements of a lock without hashes."""
    return {re.sub(r"\s+", " ", entry.split("--hash")[0]).strip() for entry in entries(lock)}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_is_pinned_with_hashes(lock: str) -> None:
    for entry in entries(lock):
        assert re.match(r"[a-z0-9-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", entry), entry


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_name_no_host_and_no_place(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert not re.search(r"://|/|@|^\s*--(?!hash)", text, flags=re.MULTILINE)


def test_each_lock_holds_the_one_before_it() -> None:
    core, test, lab = map(pins, LOCKS)
    markers = {re.split(r"[ ;]", pin)[0] for pin in test}
    assert {re.split(r"[ ;]", pin)[0] for pin in core} <= markers
    assert markers <= {re.split(r"[ ;]", pin)[0] for pin in lab}


@pytest.mark.parametrize(
    ("lock", "extras"),
    [
        ("requirements.lock", []),
        ("requirements-test.lock", ["test", "scale", "fast"]),
        ("requirements-lab.lock", ["test", "scale", "fast", "notebook", "app"]),
    ],
)
def test_locks_cover_what_the_project_asks_for(lock: str, extras: list[str]) -> None:
    asked = [*PROJECT["dependencies"], "hatchling", "editables"]
    for extra in extras:
        asked += PROJECT["optional-dependencies"][extra]
    names = {re.split(r"[=<>\[]", pin)[0] for pin in pins(lock)}
    assert {re.split(r"[=<>\[]", name)[0].lower() for name in asked} <= names


def test_the_version_is_the_same_everywhere() -> None:
    assert PROJECT["version"] == perfmethod.__version__
    assert f"## [{perfmethod.__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_importing_the_package_loads_no_large_library() -> None:
    code = "import sys, perfmethod; print(*{m.split('.')[0] for m in sys.modules})"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert "perfmethod" in loaded
    assert not {"numpy", "pandas", "scipy", "matplotlib", "openpyxl", "zhplot"} & set(loaded)


def test_ci_runs_the_tests_and_decides_nothing_else() -> None:
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    commands = [line for line in lines if line and not line.startswith("#")]
    assert commands[0] == "set -euo pipefail"
    assert commands[-1] == "python3 run.py test"
    assert len(commands) == 3


# run.py -------------------------------------------------------------------------------------


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """run.py, working in a folder of its own where making an environment costs nothing."""
    spec = importlib.util.spec_from_file_location("run_script", ROOT / "run.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    for file in [*LOCKS, "pyproject.toml"]:
        (tmp_path / file).write_bytes((ROOT / file).read_bytes())
    settle(script, tmp_path)
    monkeypatch.setattr(script, "create", lambda: make_fake(script))
    return script


def settle(script: ModuleType, folder: Path) -> None:
    """Let the script believe that it lies in this folder."""
    script.ROOT, script.VENV = folder, folder / ".venv"  # type: ignore[attr-defined]
    script.PYTHON, script.LOG = script.VENV / "python", script.VENV / "setup.log"  # type: ignore[attr-defined]


def make_fake(script: ModuleType) -> None:
    script.VENV.mkdir(exist_ok=True)
    for old in script.VENV.iterdir():
        old.unlink()
    script.PYTHON.write_text("", encoding="utf-8")


@pytest.fixture
def calls(run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What pip was asked for."""
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr(run, "pip", lambda *arguments: asked.append(arguments))
    return asked


INSTALL = [
    ("--require-hashes", "-r", "requirements.lock"),
    ("--no-deps", "--no-build-isolation", "-e", "."),
]


def test_set_up_happens_once(run: ModuleType, calls: list[tuple[str, ...]]) -> None:
    run.set_up("core")
    run.set_up("core")
    assert calls == INSTALL


@pytest.mark.parametrize("file", ["requirements.lock", "pyproject.toml"])
def test_set_up_happens_again_when_its_input_changed(
    run: ModuleType, calls: list[tuple[str, ...]], file: str
) -> None:
    run.set_up("core")
    (run.ROOT / file).write_text("changed", encoding="utf-8")
    run.set_up("core")
    assert calls == INSTALL * 2


def test_the_larger_set_serves_the_smaller_one(
    run: ModuleType, calls: list[tuple[str, ...]]
) -> None:
    run.set_up("test")
    assert calls[0] == ("--require-hashes", "-r", "requirements-test.lock")
    run.set_up("core")
    assert len(calls) == 2
    assert not run.is_ready("lab")


def test_tests_are_added_to_what_is_there(
    run: ModuleType, calls: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    run.set_up("core")
    monkeypatch.setattr(run, "create", lambda: pytest.fail("made the environment again"))
    run.set_up("test")
    assert calls[2] == ("--require-hashes", "-r", "requirements-test.lock")
    assert run.is_ready("core")


def test_an_interrupted_set_up_is_not_ready(
    run: ModuleType, calls: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    run.set_up("core")

    def interrupted(*arguments: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "pip", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run.set_up("test")
    assert not run.is_ready("core")
    assert not run.is_ready("test")


def test_a_moved_folder_is_set_up_again(
    run: ModuleType, calls: list[tuple[str, ...]], tmp_path: Path
) -> None:
    run.set_up("core")
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for file in [*LOCKS, "pyproject.toml", ".venv"]:
        (tmp_path / file).rename(moved / file)
    settle(run, moved)
    assert not run.is_ready("core")
    run.set_up("core")
    assert calls == INSTALL * 2


def test_a_failing_installation_is_one_line(run: ModuleType) -> None:
    run.create()
    run.PYTHON = sys.executable
    with pytest.raises(SystemExit) as stop:
        run.pip("--require-hashes", "-r", "missing.lock")
    message = str(stop.value)
    assert message.startswith("run.py: packages could not be installed (")
    assert "missing.lock" in message
    assert "\n" not in message
    assert "missing.lock" in run.LOG.read_text(encoding="utf-8")


def test_a_failing_download_asks_for_the_connection(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = (
        "ERROR: Could not find a version that satisfies the requirement numpy (from versions: none)"
        "\nERROR: No matching distribution found for numpy\n"
    )
    failed = subprocess.CompletedProcess([], 1, stdout=said)
    monkeypatch.setattr(run.subprocess, "run", lambda *a, **k: failed)
    run.create()
    with pytest.raises(
        SystemExit, match=r"^run\.py: .*is there a connection\? ERROR: [^\n]*numpy$"
    ):
        run.pip("-r", "requirements.lock")


def test_a_python_that_cannot_make_environments_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = importlib.util.spec_from_file_location("run_script", ROOT / "run.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    settle(script, tmp_path)

    def create(self: object, folder: Path) -> None:
        folder.mkdir()
        raise subprocess.CalledProcessError(1, ["python", "-m", "ensurepip"])

    monkeypatch.setattr(script.venv.EnvBuilder, "create", create)
    with pytest.raises(SystemExit, match=r"^run\.py: .*python3-venv$"):
        script.create()
    assert not script.VENV.exists()


@pytest.mark.parametrize(
    "arguments", [["reprot"], ["--figures"], ["evaluate", "data/2010"], ["lock", "numpy"]]
)
def test_an_unknown_argument_is_one_line(
    run: ModuleType, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert run.main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"run.py: unknown argument {arguments[-1]!r}; known: ")
    assert said.err.count("\n") == 1


def test_help_is_the_list_of_jobs(run: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main(["--help"]) == 0
    assert "python3 run.py test" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "start"),
    [
        ([], ["-m", "perfmethod", "evaluate", "data/2009", "--out", "results/2009", "--figures"]),
        (["test", "-k", "layers"], ["-m", "pytest"]),
        (["notebooks", "a.ipynb"], ["tools/build_notebooks.py", "a.ipynb"]),
    ],
)
def test_a_job_runs_in_the_environment_and_its_status_is_kept(
    run: ModuleType,
    calls: list[tuple[str, ...]],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    start: list[str],
) -> None:
    seen: list[list[str]] = []

    def started(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
        seen.append(command)
        return subprocess.CompletedProcess(command, 7)

    monkeypatch.setattr(run.subprocess, "run", started)
    assert run.main(arguments) == 7
    assert seen[0][0] == str(run.PYTHON)
    assert seen[0][1 : 1 + len(start)] == start
    assert seen[0][-len(arguments[1:]) or len(seen[0]) :] == arguments[1:]


def test_an_old_python_is_told_so_in_one_line() -> None:
    source = (ROOT / "run.py").read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 7))  # an old Python can read it at all
    code = (
        "import sys; sys.version_info = (3, 9, 2, 'final', 0); "
        "exec(compile(open('run.py', encoding='utf-8').read(), 'run.py', 'exec'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr == "run.py: Python 3.11 or newer is needed; this is 3.9\n"


def test_run_needs_the_standard_library_alone() -> None:
    tree = ast.parse((ROOT / "run.py").read_text(encoding="utf-8"))
    names = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    names |= {str(n.module) for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names
