"""Search at scale: GPUs, slots, the chief and Ray, without a second process."""

import argparse
import dataclasses
import os
import pickle
import subprocess
import sys
import tempfile
import threading
import time
import types

import numpy as np
import pytest

from cookbook import processes
from cookbook.data.files.reading import Stream
from cookbook.errors import Mistake
from cookbook.pages.catalogue import ROOT
from cookbook.runs.stopping import Stopped
from cookbook.training.run_folder import RunFolder
from cookbook.tuning.scale import devices, on_ray
from cookbook.tuning.scale.chief import serve_workers, wait_for_workers
from cookbook.tuning.scale.devices import VISIBLE, shares, visible_gpus
from cookbook.tuning.scale.order import Order, RayOptions, check_order, order_of
from cookbook.tuning.scale.slots import in_slots, map_in_slots
from cookbook.tuning.scale.workers import _environments
from cookbook.tuning.search import search
from cookbook.tuning.spaces.space import Space
from cookbook.tuning.trials.runner import Trials
from small_training import SearchConfig, build, data, entries, space

WHOLE = "GPU 0: NVIDIA H200 (UUID: GPU-aa)\nGPU 1: NVIDIA H200 (UUID: GPU-bb)\n"
DIVIDED = "GPU 0: H200 (UUID: GPU-aa)\n  MIG 1g.18gb Device 0: (UUID: MIG-cc)\n"


@pytest.mark.parametrize(
    ("variable", "listed", "gpus"),
    [
        ("2, 5", WHOLE, ["2", "5"]),
        ("", WHOLE, []),
        ("-1", WHOLE, []),
        (None, WHOLE, ["GPU-aa", "GPU-bb"]),
        (None, DIVIDED, ["MIG-cc"]),
        (None, "", []),
    ],
)
def test_the_gpus_are_those_of_the_variable_or_of_nvidia_smi(
    variable, listed, gpus, monkeypatch
):
    monkeypatch.delenv(VISIBLE, raising=False)
    if variable is not None:
        monkeypatch.setenv(VISIBLE, variable)
    answer = subprocess.CompletedProcess([], 0, stdout=listed)
    monkeypatch.setattr(devices.shutil, "which", lambda name: name)
    monkeypatch.setattr(devices.subprocess, "run", lambda *a, **k: answer)
    assert visible_gpus() == gpus


def test_each_worker_has_gpus_of_its_own(monkeypatch):
    monkeypatch.setenv(VISIBLE, "3,4,5,6,7")
    assert shares(2, None) == [{}, {}]
    assert shares(2, 0) == [{VISIBLE: ""}, {VISIBLE: ""}]
    assert shares(2, 2) == [{VISIBLE: "3,4"}, {VISIBLE: "5,6"}]
    made = _environments(Order(["r.py"], workers=2, gpus=2), 80)
    assert made["chief"][VISIBLE] == "3,4,5,6,7"
    assert made["worker_1"][VISIBLE] == "5,6"
    assert all(e["TF_FORCE_GPU_ALLOW_GROWTH"] == "true" for e in made.values())


@pytest.mark.parametrize(
    ("gpus", "message"),
    [
        (1, "3 workers need 3 GPUs, and this machine has 2"),
        (0.5, "got 0.5, expected a whole number"),
        (-1, "got -1, expected a whole number"),
    ],
)
def test_too_few_gpus_are_one_line(gpus, message, monkeypatch, capsys):
    monkeypatch.setenv(VISIBLE, "0,1")
    with pytest.raises(SystemExit) as stop:
        shares(3, gpus)
    assert stop.value.code == 2
    assert message in capsys.readouterr().err


def command(**given):
    """What the command line of `tune` is read into."""
    usual = {
        "recipe": ["recipes/mnist_mlp.py"],
        "words": ["--tune", "9"],
        "workers": None,
        "gpus_per_trial": None,
        "on": None,
        "ray_address": None,
        "cpus_per_trial": None,
    }
    return argparse.Namespace(**{**usual, **given})


def test_the_order_of_a_command():
    order = order_of(command())
    assert (order.workers, order.gpus, order.ray) == (2, None, None)
    order = order_of(command(on="ray"))
    assert order.ray == RayOptions(None, 1, 0, None)
    order = order_of(command(on="ray", gpus_per_trial=0.5, workers=7))
    assert order.ray == RayOptions(None, 1, 0.5, 7)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"ray_address": "auto"}, "--ray-address without --on ray"),
        ({"cpus_per_trial": 2}, "--cpus-per-trial without --on ray"),
        ({"words": ["--quick"]}, "neither --tune nor --tune-time"),
        ({"on": "ray", "cpus_per_trial": -1}, "got -1 CPUs"),
        ({"workers": 0}, "--workers got 0, expected at least 1"),
    ],
)
def test_a_wrong_command_is_one_line(given, message, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    with pytest.raises(SystemExit) as stop:
        check_order(order_of(command(**given)))
    assert stop.value.code == 2
    assert message in capsys.readouterr().err


def test_a_time_is_enough_for_a_search(monkeypatch):
    monkeypatch.chdir(ROOT)
    check_order(order_of(command(words=["--tune-time=2h"])))


def test_without_ray_a_line_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SystemExit) as stop:
        RayOptions().refuse_mistakes()
    assert stop.value.code == 2
    assert "--on ray needs Ray, which is not installed" in capsys.readouterr().err


def test_slots_work_at_once_and_keep_the_order():
    together = threading.Barrier(3, timeout=10)
    names = []

    def work(name):
        together.wait()
        names.append(name)

    in_slots(3, work)
    assert sorted(names) == ["slot_0", "slot_1", "slot_2"]
    assert map_in_slots(3, lambda item: item**2, range(9)) == [i**2 for i in range(9)]
    assert map_in_slots(1, str, []) == []


def test_the_first_error_of_a_slot_is_raised_while_others_wait():
    is_over = threading.Event()

    def work(name):
        if name == "slot_1":
            raise SystemExit(2)
        is_over.wait(10)

    with pytest.raises(SystemExit):
        in_slots(2, work)
    is_over.set()


@dataclasses.dataclass
class Oracle:
    tuner_ids: set = dataclasses.field(default_factory=set)
    ongoing_trials: dict = dataclasses.field(default_factory=dict)


class Tuner:
    """Stands for keras-tuner's in the chief: its server sleeps on after the end."""

    def __init__(self):
        self.oracle = Oracle()
        self.is_left_alone = threading.Event()

    def search(self):
        self.oracle.tuner_ids.add("worker_0")
        self.oracle.ongoing_trials["worker_0"] = "a trial"
        time.sleep(0.1)
        self.oracle.ongoing_trials.clear()
        self.oracle.tuner_ids.clear()
        self.is_left_alone.wait(20)


def test_the_chief_ends_with_the_last_worker_and_after_trial_0():
    tuner, trials = Tuner(), types.SimpleNamespace(done={})
    chief = threading.Thread(target=serve_workers, args=(tuner, trials))
    chief.start()
    chief.join(0.5)
    assert chief.is_alive(), "trial 0 is not done"
    trials.done[0] = "its result"
    chief.join(5)
    assert not chief.is_alive()
    tuner.is_left_alone.set()


def test_an_error_of_the_server_ends_the_chief():
    class Broken(Tuner):
        def search(self):
            raise RuntimeError("the port is in use")

    with pytest.raises(RuntimeError, match="in use"):
        serve_workers(Broken(), types.SimpleNamespace(done={}))


def test_the_port_of_a_chief_is_open_until_the_workers_are_done(monkeypatch):
    with processes.socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setenv(processes.IP, "127.0.0.1")
    monkeypatch.setenv(processes.PORT, str(port))
    seen = []

    def is_over():
        seen.append(processes.listens("127.0.0.1", port))
        return len(seen) == 2

    wait_for_workers(is_over)
    assert seen == [True, True]
    assert not processes.listens("127.0.0.1", port)


class FakeRay(types.ModuleType):
    """Stands for Ray: a task runs in the thread that waits for it."""

    def __init__(self):
        super().__init__("ray")
        self.exceptions = types.SimpleNamespace(RayError=OSError)
        self.util = types.SimpleNamespace(get_node_ip_address=lambda: "10.0.0.2")
        self.names = []
        self.is_running = False

    def init(self, address, **settings):
        self.is_running = True
        self.settings = settings
        return types.SimpleNamespace(dashboard_url="")

    def cluster_resources(self):
        return {"CPU": 3.0}

    def put(self, value):
        return lambda: value

    def get(self, reference):
        if isinstance(reference, list):
            return [each() for each in reference]
        return reference()

    def remote(self, **resources):
        self.resources = resources
        return lambda function: types.SimpleNamespace(
            options=lambda name: types.SimpleNamespace(
                remote=lambda *arguments: self.submit(name, function, arguments)
            )
        )

    def submit(self, name, function, arguments):
        self.names.append(name)
        return lambda: function(*arguments)

    def shutdown(self):
        self.is_running = False


@pytest.fixture
def ray(monkeypatch, tmp_path):
    fake = FakeRay()
    monkeypatch.setitem(sys.modules, "ray", fake)
    monkeypatch.setattr(RayOptions, "refuse_mistakes", lambda options: None)
    main = types.SimpleNamespace(__file__="recipe.py")
    monkeypatch.setitem(sys.modules, "__main__", main)
    monkeypatch.chdir(tmp_path)
    for name, value in RayOptions(cpus=1.5, at_once=2).environment.items():
        monkeypatch.setenv(name, value)
    return fake


@pytest.mark.slow
def test_a_search_on_ray_has_the_trials_of_one_in_this_process(
    ray, tmp_path, monkeypatch
):
    config = SearchConfig(run_dir=tmp_path, tune=3, epochs=1, stop_early=False)
    run = RunFolder.open("ray", config)
    search(space, build, data(), config, run)
    assert sorted(ray.names) == ["trial 0", "trial 1", "trial 2", "trial 3"]
    assert not ray.is_running
    assert ray.resources["num_cpus"] == 1.5
    variables = ray.settings["runtime_env"]["env_vars"]
    assert variables["TF_NUM_INTRAOP_THREADS"] == "1"
    assert variables["PYTHONPATH"].split(os.pathsep)[0] == str(ROOT)

    monkeypatch.delenv("COOKBOOK_RAY")
    alone = RunFolder.open("alone", config)
    search(space, build, data(), config, alone)
    facts = [
        [(e["number"], e["values"], e["scores"]) for e in entries(folder)]
        for folder in (run, alone)
    ]
    assert facts[0] == facts[1]


@pytest.mark.slow
def test_a_mistake_on_ray_is_one_line(ray, tmp_path, capsys):
    config = SearchConfig(run_dir=tmp_path, tune=1, epochs=1)
    run = RunFolder.open("ray", config)
    with pytest.raises(SystemExit) as stop:
        search(space, build, data(), config, run, score="val_beauty")
    assert stop.value.code == 2
    err = capsys.readouterr().err
    assert err.count("error: a search needs the column val_beauty") == 1
    assert not ray.is_running


def test_an_end_of_ray_is_no_failure_of_the_trials_that_it_interrupts(
    ray, tmp_path, monkeypatch
):
    config = SearchConfig(run_dir=tmp_path, tune=1, epochs=1)
    run = RunFolder.open("ray", config)

    def end(reference):
        raise OSError("Ray has ended")

    trials = Trials(Space(space, config), build, data(), config, run, "val_accuracy")
    remote = on_ray.RayTrials(trials, RayOptions())
    monkeypatch.setattr(ray, "get", end)
    assert "Ray has ended" in remote.run_or_recall(1, {"units": 2}).problem
    remote.close()
    with pytest.raises(Stopped):
        remote.run_or_recall(2, {"units": 4})
    assert list(trials.done) == [1]


def test_the_median_rule_does_not_carry_the_data_to_each_task(tmp_path):
    config = SearchConfig(run_dir=tmp_path, tune=1)
    run = RunFolder.open("r", config)
    trials = Trials(Space(space, config), build, data(), config, run, "val_accuracy")
    rule = trials._rule(1, 2, None)
    held = [cell.cell_contents for cell in rule.__closure__]
    assert not any(isinstance(item, Trials) for item in held)


def test_a_machine_without_the_run_folder_says_so(ray, tmp_path):
    trials = types.SimpleNamespace(run=types.SimpleNamespace(path=tmp_path / "gone"))
    folder = types.SimpleNamespace()
    with pytest.raises(Mistake, match=r"10\.0\.0\.2 does not have the folder"):
        on_ray._attempt([lambda: trials], (tmp_path, None), (0, 0, folder, 0, 0))


@pytest.mark.parametrize(
    ("options", "room", "count"),
    [
        (RayOptions(cpus=2), {"CPU": 7.0}, 3),
        (RayOptions(cpus=2, gpus=0.5), {"CPU": 99.0, "GPU": 2.0}, 4),
        (RayOptions(at_once=50), {"CPU": 2.0}, 50),
        (RayOptions(), {"CPU": 999.0}, 100),
    ],
)
def test_as_many_trials_at_once_as_there_is_room_for(options, room, count):
    assert on_ray._slots(options, room, 100) == count


def test_a_trial_that_fits_nowhere_is_one_line(capsys):
    with pytest.raises(SystemExit) as stop:
        on_ray._slots(RayOptions(gpus=1), {"CPU": 8.0}, 100)
    assert stop.value.code == 2
    assert "1 CPUs and 1 GPUs, and Ray has 8 and 0" in capsys.readouterr().err


def test_pictures_that_are_streamed_are_copied_to_other_processes():
    with tempfile.TemporaryFile() as file:
        rows = np.arange(24, dtype="uint8").reshape(4, 2, 3)
        file.write(rows.tobytes())
        file.flush()
        copied = pickle.loads(pickle.dumps(Stream(file, rows.shape)))
    assert type(copied) is np.ndarray
    np.testing.assert_array_equal(copied, rows)
