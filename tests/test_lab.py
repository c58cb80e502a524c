"""Claims: which side of the bound, what is printed and written; the animation."""

import json

from matplotlib.figure import Figure
from matplotlib.image import imread

from cookbook.cli import Experiment
from cookbook.lab import Claim, conclude
from cookbook.plots import save_animation, save_figure
from cookbook.training import RunFolder


def test_a_claim_holds_on_its_side_of_the_bound():
    assert Claim("c", 2.0, 1.0).holds
    assert not Claim("c", 0.5, 1.0).holds
    assert Claim("c", 0.5, 1.0, at_most=True).holds
    assert not Claim("c", 2.0, 1.0, at_most=True).holds
    assert not Claim("c", float("nan"), 1.0).holds


def test_conclude_prints_every_claim_and_writes_them(tmp_path, capsys):
    run = RunFolder.open("r", Experiment(run_dir=tmp_path, seed=3))
    conclude(run, [Claim("big", 2.0, 1.0), Claim("small", 2.0, 1.0, at_most=True)])
    lines = capsys.readouterr().out.strip().splitlines()
    assert lines[0] == "holds  big: 2 (at least 1)"
    assert lines[1] == "FAILS  small: 2 (at most 1)"
    assert lines[2].startswith("1 of 2 claims hold | ")
    metrics = json.loads((run.path / "metrics.json").read_text())
    assert [claim["holds"] for claim in metrics["claims"]] == [True, False]
    assert metrics["settings"]["seed"] == 3


def test_an_animation_has_its_frames(tmp_path):
    run = RunFolder.open("r", Experiment(run_dir=tmp_path))
    figure = Figure(figsize=(1, 1))
    axes = figure.subplots()
    save_animation(figure, lambda i: axes.plot([0, i]), 3, run, "a.gif")
    save_figure(figure, run, "a.png")
    assert (run.path / "a.gif").read_bytes().startswith(b"GIF89a")
    assert imread(run.path / "a.png").std() > 0
