"""The mathematics of the playgrounds, run by node, as tests compare it with ours."""

import json
import shutil
import subprocess

import numpy as np
import pytest
from keras import ops

from sources import ROOT

PLAYGROUNDS = ROOT / "docs" / "playgrounds"
NODE = shutil.which("node")
TOLERANCE = 1e-5


def javascript(code, **given):
    """The `result` of code in JavaScript, whose inputs are in `given`."""
    if NODE is None:
        pytest.skip("node is not installed, which runs the mathematics of playgrounds")
    script = f"""
        import fs from "node:fs";
        const given = JSON.parse(fs.readFileSync(0, "utf8"));
        const load = (name) => import(`{PLAYGROUNDS.as_posix()}/math/${{name}}.js`);
        {code}
        console.log(JSON.stringify(result));
    """
    done = subprocess.run(
        [NODE, "--input-type=module", "--eval", script],
        input=json.dumps(given),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def near(found, expected, tolerance=TOLERANCE):
    """Asserts that numbers of JavaScript are those of a tensor or an array."""
    expected = ops.convert_to_numpy(expected)
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


def float64(x):
    return ops.convert_to_tensor(np.asarray(x, "float64"))
