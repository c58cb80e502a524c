"""The card of the data on a recipe's page."""

import json

from cookbook.site.recipe_pages import DATA
from sources import ROOT

MADE_BY_A_RECIPE = {"sums", "mackey_glass", "ring"}
TOLD_BESIDE_ANOTHER = {"wnut17"}  # by the same recipe


def test_data_of_every_result_have_a_card():
    runs = json.loads((ROOT / "docs" / "results.json").read_text())["runs"]
    asked = {run["data"] for run in runs}
    assert asked <= {*DATA, *MADE_BY_A_RECIPE, *TOLD_BESIDE_ANOTHER}
