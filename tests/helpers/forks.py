"""Programs that begin in a fork of a process in which the slow imports are done.

A start of TensorFlow and Keras costs five seconds of a processor. `run` does what
subprocess.run([sys.executable, "-c", code, *arguments]) does in the project's folder,
but the program begins after those imports, which were made before TensorFlow started
any thread. Tests of the start itself, of a fresh process, and of environment variables
that an import reads start processes of their own.

Where forks are not safe, which is not Linux, `run` starts a process of its own too.
"""

import atexit
import dataclasses
import functools
import gc
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import types
from pathlib import Path

ROOT = Path(__file__).parents[2]
CAN_FORK = sys.platform == "linux"
IMPORTS = ("keras", "sklearn.datasets", "matplotlib.figure", "recipes.mnist_mlp")


def run(code, *arguments, environment=None):
    """A program that has ended, with its returncode, stdout and stderr."""
    return start(code, *arguments, environment=environment).wait()


def start(code, *arguments, environment=None):
    """A program that begins; `wait` returns once it has ended."""
    environment = {**os.environ, **(environment or {})}
    folder = tempfile.TemporaryDirectory()
    files = [str(Path(folder.name, name)) for name in ("stdout", "stderr")]
    begin = _fork if CAN_FORK else _begin
    wait = begin(code, list(map(str, arguments)), environment, files)
    return Program(wait, folder, files)


@dataclasses.dataclass
class Program:
    """A program that runs, and the folder of the files that it writes its output to."""

    status: object  # a function that waits for the exit status
    folder: tempfile.TemporaryDirectory
    files: list

    def wait(self):
        with self.folder:
            status = self.status()
            texts = [Path(file).read_text() for file in self.files]
        return subprocess.CompletedProcess("a program", status, *texts)


def _begin(code, arguments, environment, files):
    """Begins a process of its own, and returns a function that waits for its status."""
    command = [sys.executable, "-c", code, *arguments]
    with open(files[0], "w") as out, open(files[1], "w") as err:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=out, stderr=err
        )
    return process.wait


def _fork(code, arguments, environment, files):
    """The same in a fork of the process that has made the imports."""
    pid = _ask(code, arguments, environment, files)
    return lambda: _ask(pid)


def _ask(*request):
    stem = _stem()
    stem.stdin.write(json.dumps(request) + "\n")
    stem.stdin.flush()
    return json.loads(stem.stdout.readline())


@functools.cache
def _stem():
    """The process to fork, which ends when the pipe to it is closed."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    stem = subprocess.Popen([sys.executable, __file__], cwd=ROOT, **pipes)
    atexit.register(stem.communicate)
    return stem


def serve():
    """What the stem does: it forks for each program, and waits for those that it asks.

    A request is a program, whose process number is the answer; or such a number, whose
    exit status is the answer.
    """
    sys.path[0] = str(ROOT)
    for name in IMPORTS:
        importlib.import_module(name)
    gc.freeze()  # or each fork would look through all that was imported
    for line in sys.stdin:
        request = json.loads(line)
        if len(request) == 1:
            answer = os.waitstatus_to_exitcode(os.waitpid(*request, 0)[1])
        else:
            answer = os.fork()
            if answer == 0:
                return become(*request)
        print(answer, flush=True)
    return None


def become(code, arguments, environment, files):
    """Makes this process the program; its end is the end of Python."""
    for number, path in enumerate([os.devnull, *files]):
        mode = os.O_RDWR | os.O_CREAT
        os.dup2(os.open(path, mode), number)
    os.environ.clear()
    os.environ.update(environment)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = ["-c", *arguments]
    sys.modules["__main__"] = main = types.ModuleType("__main__")
    exec(compile(code, "<string>", "exec"), vars(main))


if __name__ == "__main__":
    serve()
