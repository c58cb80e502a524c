"""Signals: at any moment a run ends with one line and a status, and loses nothing."""

import json
import os
import shlex
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

import forks
from cookbook.pages.catalogue import ROOT
from cookbook.processes import LAUNCHED, launched
from cookbook.runs.stopping import NAMES

pytestmark = pytest.mark.skipif(os.name != "posix", reason="sends signals of POSIX")
SIGNALS = [getattr(signal, name) for name in NAMES]


def script(code, **environment):
    """A finished process that listens to signals and runs `code`."""
    begin = "import os, signal, sys\nfrom cookbook.runs import stopping\n"
    begin += "stopping.listen()\nme = os.getpid()\n"
    return subprocess.run(
        [sys.executable, "-c", begin + textwrap.dedent(code)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        preexec_fn=hear,
    )


def hear():
    """Undoes what a shell does to jobs in the background: they ignore Ctrl-C."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_before_the_run_began_is_one_line_and_a_status(number):
    done = script(f"os.kill(me, {int(number)})")
    assert done.returncode == 128 + number
    assert done.stderr == f"stopped by {number.name} before the run began\n"


@pytest.mark.parametrize(
    "code",
    [
        "try: os.kill(me, 15)\nexcept KeyboardInterrupt: raise ImportError('half')",
        "try: os.kill(me, 15)\nexcept: pass\nstopping.stop_if_asked()",
        "class A:\n  def __del__(self): os.kill(me, 15)\nA()\nstopping.stop_if_asked()",
    ],
    ids=["turned into another error", "swallowed", "in a destructor"],
)
def test_a_signal_that_a_library_takes_for_something_else_is_not_lost(code):
    done = script(code)
    assert done.returncode == 143
    assert done.stderr == "stopped by SIGTERM before the run began\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_signals_during_a_save_wait_for_its_end(number):
    """A closing terminal sends SIGHUP twice; an impatient user presses Ctrl-C again."""
    code = f"""
    from pathlib import Path
    from cookbook.runs.files import write_whole
    def save(path):
        path.write_text("first half, ")
        for _ in range(3):
            os.kill(me, {int(number)})
        with path.open("a") as file:
            file.write("second half")
    write_whole(Path(os.environ["TARGET"]), save)
    print("not reached")
    """
    folder = Path(os.environ.get("TMPDIR", "/tmp")) / f"save_{os.getpid()}"
    folder.mkdir()
    try:
        done = script(code, TARGET=str(folder / "file"))
        assert done.returncode == 128 + number
        assert done.stdout == ""
        assert (folder / "file").read_text() == "first half, second half"
        assert [path.name for path in folder.iterdir()] == ["file"]
    finally:
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()


def test_a_second_ctrl_c_interrupts_a_step_but_a_second_sighup_waits_for_its_end():
    code = """
    stopping.postpone(True)
    os.kill(me, {0})
    print("first waits")
    os.kill(me, {0})
    print("second waits")
    """
    out = [script(code.format(int(n))).stdout for n in (signal.SIGINT, signal.SIGHUP)]
    assert out == ["first waits\n", "first waits\nsecond waits\n"]


def test_what_the_parent_ignores_stays_ignored():
    """As after nohup."""
    code = "os.kill(me, signal.SIGHUP)\nprint('goes on')"
    command = [sys.executable, "-c", "from cookbook.runs.stopping import listen\n"]
    command[-1] += "import os, signal\nlisten()\nme = os.getpid()\n" + code
    done = subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )
    assert (done.returncode, done.stdout) == (0, "goes on\n")


def test_a_program_ends_with_the_one_that_launched_it():
    """Even if that is killed: the system closes the pipe between them."""
    code = """
    import time
    from cookbook.processes import end_with_launcher
    end_with_launcher()
    print('listens', flush=True)
    time.sleep(100)
    """
    begin = "import os, signal, sys\nfrom cookbook.runs import stopping\n"
    begin += "stopping.listen()\nme = os.getpid()\n" + textwrap.dedent(code)
    parent = f"""
    import os, signal, subprocess, sys
    from cookbook.processes import launched
    launched([sys.executable, "-c", {begin!r}], dict(os.environ)).wait()
    """
    launcher = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(parent)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hear,
    )
    assert launcher.stdout.readline()
    launcher.kill()
    # The child has the same pipe, so that this returns only once it has ended too.
    _, errors = launcher.communicate(timeout=60)
    assert "stopped by SIGTERM" in errors


def test_a_launched_program_lives_on_while_its_launcher_waits_for_what_it_writes():
    code = (
        "from cookbook.runs.stopping import listen; import time; listen()\n"
        "from cookbook.processes import end_with_launcher; end_with_launcher()\n"
        "time.sleep(0.5); print('to the end')"
    )
    process = launched(
        [sys.executable, "-c", code],
        {**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    out, _ = process.communicate()
    assert (process.returncode, out) == (0, "to the end\n")


MOMENTS = """
import os, sys
from cookbook.runs.stopping import listen
from cookbook.training import checkpoint, launch, train
from cookbook.tuning.trials import runner
from recipes import mnist_mlp

def interrupt(module, name, at=1, hide=False):
    original, calls = getattr(module, name), []
    def wrapped(*arguments, **settings):
        calls.append(name)
        try:
            if len(calls) == at:
                os.kill(os.getpid(), NUMBER)
            return original(*arguments, **settings)
        except KeyboardInterrupt:
            if hide:
                raise ValueError("a library's own error")
            raise
    setattr(module, name, wrapped)

listen()
PREPARE
sys.argv[0] = "recipes/mnist_mlp.py"
launch.launch(mnist_mlp.main, mnist_mlp.Config)
"""
SEARCH = ["--quick", "--tune", "2", "--epochs", "1", "--batch-size", "32"]
PLAIN = ["--quick", "--epochs", "2", "--batch-size", "16", "--save-every", "1000"]
CASES = {
    "while data load": ("interrupt(mnist_mlp, 'load_images')", PLAIN),
    "at a step": ("interrupt(train, 'count_step', 3)", PLAIN),
    "during a save": ("interrupt(checkpoint, 'pack_save')", PLAIN),
    "while the report is written": ("interrupt(mnist_mlp, 'report_classifier')", PLAIN),
    "while a trial is built": ("interrupt(mnist_mlp, 'build', 2)", SEARCH),
    "hidden by a library while a trial is built": (
        "interrupt(mnist_mlp, 'build', 2, hide=True)",
        SEARCH,
    ),
    "as a trial is remembered": ("interrupt(runner, 'progress_line')", SEARCH),
}


@pytest.mark.slow
@pytest.mark.parametrize("moment", CASES)
def test_a_run_that_a_signal_ends_goes_on_to_the_same_bits(moment, tmp_path):
    prepare, flags = CASES[moment]
    number = SIGNALS[list(CASES).index(moment) % len(SIGNALS)]
    has_begun = moment != "while data load"
    code = MOMENTS.replace("PREPARE", prepare).replace("NUMBER", str(int(number)))
    words = [*flags, "--run-dir", tmp_path / "broken"]
    broken = forks.run(code, *words)
    assert broken.returncode == 128 + number
    assert "Traceback" not in broken.stderr, broken.stderr
    assert "failed (" not in broken.stdout
    (line,) = [line for line in broken.stdout.splitlines() if "stopped by" in line]
    assert line.startswith(f"stopped by {number.name}: ")
    if not has_begun:
        assert "no run had begun" in line
        assert not list(tmp_path.glob("broken/*/*"))
        return
    resumed = forks.run(MOMENTS.replace("PREPARE", ""), *words, "--resume")
    assert resumed.returncode == 0, resumed.stderr
    assert "Traceback" not in resumed.stderr, resumed.stderr
    assert "failed (" not in resumed.stdout
    assert "stopped by" not in resumed.stdout
    (path,) = tmp_path.glob("broken/*/*/")
    words = shlex.split(line.partition("go on with: ")[2])
    assert words[-3:] == ["--resume", "--run", str(path)]
    whole = unbroken(tmp_path, flags)
    assert json.loads((path / "metrics.json").read_text())["weights"] == whole
    left = sorted(file.name for file in path.rglob("*") if file.is_file())
    assert not {"lock", "attempts.json"} & set(left)
    assert not [name for name in left if name.endswith(".save") or "partial" in name]


WHOLE = {}  # {flags: checksum of the weights} of runs that were not broken


def unbroken(folder, flags):
    key = tuple(flags)
    if key not in WHOLE:
        subprocess.run(
            [sys.executable, "recipes/mnist_mlp.py", *flags, "--run-dir", folder / "w"],
            cwd=ROOT,
            check=True,
            capture_output=True,
        )
        (metrics,) = folder.glob("w/*/*/metrics.json")
        WHOLE[key] = json.loads(metrics.read_text())["weights"]
    return WHOLE[key]


def hears(pid, number):
    """Whether a process has a handler for a signal."""
    text = Path(f"/proc/{pid}/status").read_text()
    (mask,) = [line.split()[1] for line in text.splitlines() if "SigCgt" in line]
    return int(mask, 16) >> (number - 1) & 1


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").exists(), reason="reads /proc")
@pytest.mark.parametrize("wait", [0.0, 0.5, 2.0])
def test_a_signal_while_imports_run_is_one_line(wait, tmp_path):
    number = SIGNALS[int(wait * 2) % 3]
    process = subprocess.Popen(
        [sys.executable, "recipes/mnist_mlp.py", "--quick", "--run-dir", str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={name: value for name, value in os.environ.items() if name != LAUNCHED},
        preexec_fn=hear,
    )
    while not hears(process.pid, signal.SIGTERM):
        time.sleep(0.01)
    time.sleep(wait)
    process.send_signal(number)
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 128 + number
    assert (out + errors).strip().splitlines()[-1].startswith("stopped by")
    assert "Traceback" not in errors
    assert not list(tmp_path.glob("*/*"))
