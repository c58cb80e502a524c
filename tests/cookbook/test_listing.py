"""`python -m cookbook list --json`: recipes and components for programs."""

import json
import sys

from cookbook.__main__ import main


def listing(monkeypatch, capsys, *words):
    monkeypatch.setattr(sys, "argv", ["cookbook", "list", "--json", *words])
    main()
    return json.loads(capsys.readouterr().out)


def test_the_list_for_programs_names_everything(monkeypatch, capsys):
    found = listing(monkeypatch, capsys)
    names = {row["name"]: row for row in found["components"]}
    assert "mnist_cnn" in [row["name"] for row in found["recipes"]]
    assert names["LSTM"]["import"] == "from custom_layers.layers import LSTM"
    assert "mackey_glass_rnn" in names["LSTM"]["recipes"]
    assert names["LSTM"]["file"] == "custom_layers/layers/recurrent/lstm.py"


def test_a_word_narrows_the_list_for_programs(monkeypatch, capsys):
    found = listing(monkeypatch, capsys, "no_such_word")
    assert found == {"recipes": [], "components": []}
