"""Formulas of activations, as pictures show them."""

import re

# name: formula, in TeX, with the defaults of the functions
ACTIVATIONS = r"""
linear: x; exponential: e^x; sigmoid: 1/(1 + e^{-x}); log_sigmoid: -\log(1 + e^{-x})
tanh: 2\,\sigma(2x) - 1; tanh_shrink: x - \tanh x; softplus: \log(1 + e^x)
squareplus: (x + \sqrt{x^2 + 4})/2; softsign: x/(1 + |x|); lisht: x\,\tanh x
hard_sigmoid: \max(0, \min(1, x/6 + .5)); hard_silu: x\,\max(0, \min(1, x/6 + .5))
hard_tanh: \max(-1, \min(1, x)); sparse_sigmoid: \max(0, \min(1, x/2 + .5))
soft_shrink: x - \max(-.5, \min(.5, x)); relu: \max(0, x); relu6: \max(0, \min(6, x))
leaky_relu: \max(.2x, x); rrelu: \max(11x/48, x); silu: x\,\sigma(x); gelu: x\,\Phi(x)
elu: x,\ e^x - 1\ (x < 0); celu: x,\ e^x - 1\ (x < 0)
selu: 1.05x,\ 1.76(e^x - 1); mish: x\,\tanh(\log(1 + e^x))
hard_shrink: x\,[|x| > .5]; snake: x + \sin^2x; threshold(1, 0): x\,[x > 1]
sparse_plus: 0,\ (x + 1)^2/4,\ x; softmax([x, 0]): e^x/(e^x + 1)
log_softmax([x, 0]): x - \log(e^x + 1); sparsemax([x, 0]): \max(0, \min(1, x/2 + .5))
glu([x, 0]): x\,\sigma(0)
"""


def with_formula(name: str) -> str:
    """The name of an activation, and its formula below."""
    pairs = re.findall(r"(.+?): (.+?)(?:; |\n)", ACTIVATIONS)
    formula = dict(pairs)[name]
    return f"{name}\n${formula}$"
