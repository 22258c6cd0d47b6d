"""Set everything up and run it; needs Python 3.11 or newer and nothing else.

python3 run.py                  evaluate data/2009, results and figures go to results/2009
python3 run.py test [...]       run every test and notebook; further arguments go to pytest
python3 run.py lab              open the notebooks in JupyterLab
python3 run.py notebooks [...]  run the notebooks and store their outputs (all, or those named)
python3 run.py lock             choose the newest packages again (maintainers; needs uv)
"""

import sys

if sys.version_info < (3, 11):
    sys.exit("run.py: Python 3.11 or newer is needed; this is %d.%d" % sys.version_info[:2])

import hashlib
import os
import shutil
import subprocess
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
LOG = VENV / "setup.log"
# each set of packages holds the one before it, in the same versions; the extras it adds
SETS = {
    "core": ("requirements.lock", []),
    "test": ("requirements-test.lock", ["test", "scale", "fast"]),
    "lab": ("requirements-lab.lock", ["test", "scale", "fast", "notebook", "app"]),
}
RESULTS = ["--out", "results/2009", "--figures"]
JOBS = {
    "evaluate": ("core", ["-m", "perfmethod", "evaluate", "data/2009", *RESULTS]),
    "test": ("test", ["-m", "pytest", "-n", "auto", "--maxprocesses=4", "--dist=loadfile"]),
    "lab": ("lab", ["-m", "jupyterlab", "--notebook-dir=notebooks"]),
    "notebooks": ("test", ["tools/build_notebooks.py"]),
}
TAKES_MORE = {"test", "notebooks"}


def environment(job=""):
    """Variables for the programs started: nothing of the caller's Python, UTF-8 on Windows.

    Tests run in several processes, so that each gets one thread: more would wait for each other.
    Property tests repeat the same examples (tests/conftest.py).
    """
    kept = {k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "PYTHONHOME"}}
    if job in TAKES_MORE:
        kept = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", **kept}
    if job == "test":
        kept = {"HYPOTHESIS_PROFILE": "repeat", **kept}
    return {**kept, "PYTHONUTF8": "1", "PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def stamp_of(name):
    """What an environment of this set was made from; the folder counts, for it is in the files."""
    made_from = [(ROOT / SETS[name][0]).read_bytes(), (ROOT / "pyproject.toml").read_bytes()]
    made_from += [sys.version.encode(), str(ROOT).encode()]
    return hashlib.sha256(b"\0".join(made_from)).hexdigest()


def is_ready(name):
    """Whether this set, or one that holds it, is installed and up to date."""
    larger = list(SETS)[list(SETS).index(name) :]
    stamps = {n: VENV / f"ready-{n}" for n in larger}
    return PYTHON.exists() and any(
        s.is_file() and s.read_text() == stamp_of(n) for n, s in stamps.items()
    )


def create():
    """Make the empty environment."""
    try:
        venv.EnvBuilder(with_pip=True, clear=True, symlinks=os.name != "nt").create(VENV)
    except (subprocess.CalledProcessError, ImportError):
        shutil.rmtree(VENV, ignore_errors=True)
        sys.exit("run.py: this Python cannot make environments; Debian: apt install python3-venv")
    except OSError as error:
        sys.exit(f"run.py: .venv cannot be made: {error}")


def pip(*arguments):
    """Run pip, keeping what it says for the one line that tells why it failed."""
    done = subprocess.run(
        [str(PYTHON), "-m", "pip", "install", "--quiet", *arguments],
        cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        encoding="utf-8", errors="replace", check=False,
    )  # fmt: skip
    if done.returncode:
        LOG.write_text(done.stdout, encoding="utf-8")
        errors = [line for line in done.stdout.splitlines() if line.startswith("ERROR")]
        reason = (errors or done.stdout.splitlines() or ["pip gave no reason"])[-1]
        if "(from versions: none)" in done.stdout:  # pip's words for an index that is silent
            reason = "no package index can be reached; is there a connection? " + reason
        sys.exit(f"run.py: packages could not be installed ({LOG.relative_to(ROOT)}): {reason}")


def set_up(name):
    """Install the locked packages and this one, unless that is done already."""
    if is_ready(name):
        return
    print("Setting up .venv, once; this takes a minute or a few.", file=sys.stderr, flush=True)
    if not is_ready("core"):
        create()
    for stamp in VENV.glob("ready-*"):  # cut short from here on, it does not count as ready
        stamp.unlink()
    pip("--require-hashes", "-r", SETS[name][0])
    pip("--no-deps", "--no-build-isolation", "-e", ".")
    (VENV / f"ready-{name}").write_text(stamp_of(name))


def lock():
    """Write the locks again; each set is bound to the versions of the one before it."""
    uv = shutil.which("uv") or sys.exit("run.py: uv is needed to write the locks: pip install uv")
    bound = []
    for file, extras in SETS.values():
        command = [uv, "pip", "compile", "pyproject.toml", "--group", "build", "--universal"]
        command += ["--python-version", "3.11", "--generate-hashes", "--no-annotate", "--no-header"]
        command += ["--no-config", "--quiet", "--upgrade", "--output-file", file, *bound]
        command += [f"--extra={extra}" for extra in extras]
        subprocess.run(command, cwd=ROOT, check=True)
        bound = ["--constraint", file]


def main(arguments):
    """Do the job named; return its exit status."""
    job, more = (arguments[0], arguments[1:]) if arguments else ("evaluate", [])
    if job in {"-h", "--help"}:
        print(__doc__)
        return 0
    if (job not in {*JOBS, "lock"}) or (more and job not in TAKES_MORE):
        known = ", ".join([*JOBS, "lock"])
        unknown = job if job not in {*JOBS, "lock"} else more[0]
        print(f"run.py: unknown argument {unknown!r}; known: {known}", file=sys.stderr)
        return 2
    if job == "lock":
        return lock() or 0
    packages, command = JOBS[job]
    set_up(packages)
    return subprocess.run(
        [str(PYTHON), *command, *more], cwd=ROOT, env=environment(job), check=False
    ).returncode


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
