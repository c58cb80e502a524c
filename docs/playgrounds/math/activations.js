// Activations and their slopes, with the names and symbols of custom_layers/activations.
//
// Each is { formula, f, slope } with f(x) and slope(x) = f'(x). Where a curve has a
// parameter, it is { name, value, min, max }, and f and slope take it second.

const { abs, exp, log1p, max, min, sign, sqrt, tanh, PI } = Math;

const SELU_SCALE = 1.05070098735548049342;
const SELU_ALPHA = 1.67326324235437728481;

const sigmoid = (x) => 1 / (1 + exp(-x));
const softplus = (x) => max(x, 0) + log1p(exp(-abs(x)));
const hard_sigmoid = (x) => min(max(x + 3, 0), 6) / 6;
const sparse_sigmoid = (x) => min(max((x + 1) / 2, 0), 1);
const inside = (x, low, high) => (x > low && x < high ? 1 : 0);
const elu = (x, alpha) => (x > 0 ? x : alpha * Math.expm1(x));
const elu_slope = (x, alpha) => (x > 0 ? 1 : alpha * exp(x));
const density = (x) => exp(-(x ** 2) / 2) / sqrt(2 * PI);

/** The error function, by its series, and far out by the fraction of its complement. */
export function erf(x) {
  const z = abs(x);
  if (z < 2.5) {
    let [term, sum] = [x, x];
    for (let n = 1; abs(term) > 1e-17 * abs(sum); n += 1) {
      term *= -(x * x) / n;
      sum += term / (2 * n + 1);
    }
    return (2 / sqrt(PI)) * sum;
  }
  let fraction = 0;
  for (let n = 60; n > 0; n -= 1) fraction = n / 2 / (z + fraction);
  return sign(x) * (1 - exp(-z * z) / (sqrt(PI) * (z + fraction)));
}

/** The probability that a standard normal draw is below x. */
const below = (x) => (1 + erf(x / sqrt(2))) / 2;
const bend = (x) => sqrt(2 / PI) * (x + 0.044715 * x ** 3);
const bend_slope = (x) => sqrt(2 / PI) * (1 + 3 * 0.044715 * x ** 2);

export const ACTIVATIONS = {
  linear: { formula: "y = x", f: (x) => x, slope: () => 1 },
  relu: {
    formula: "y = max(x, 0)",
    f: (x) => max(x, 0),
    slope: (x) => (x > 0 ? 1 : 0),
  },
  relu6: {
    formula: "y = min(max(x, 0), 6)",
    f: (x) => min(max(x, 0), 6),
    slope: (x) => inside(x, 0, 6),
  },
  leaky_relu: {
    formula: "y = max(x, 0) − negative_slope · max(−x, 0)",
    parameter: { name: "negative_slope", value: 0.2, min: 0, max: 1 },
    f: (x, a = 0.2) => (x > 0 ? x : a * x),
    slope: (x, a = 0.2) => (x > 0 ? 1 : a),
  },
  rrelu: {
    formula: "y = x if x ≥ 0, else a x; in use a = (1/8 + 1/3) / 2",
    f: (x) => (x >= 0 ? x : ((1 / 8 + 1 / 3) / 2) * x),
    slope: (x) => (x >= 0 ? 1 : (1 / 8 + 1 / 3) / 2),
  },
  elu: {
    formula: "y = x if x > 0, else alpha · (e^x − 1)",
    parameter: { name: "alpha", value: 1, min: 0.1, max: 2 },
    f: (x, alpha = 1) => elu(x, alpha),
    slope: (x, alpha = 1) => elu_slope(x, alpha),
  },
  celu: {
    formula: "y = max(x, 0) + alpha · (e^(min(x, 0) / alpha) − 1)",
    parameter: { name: "alpha", value: 1, min: 0.1, max: 2 },
    f: (x, alpha = 1) => max(x, 0) + alpha * Math.expm1(min(x, 0) / alpha),
    slope: (x, alpha = 1) => (x > 0 ? 1 : exp(x / alpha)),
  },
  selu: {
    formula: "y = 1.0507 · elu(x, 1.6733)",
    f: (x) => SELU_SCALE * elu(x, SELU_ALPHA),
    slope: (x) => SELU_SCALE * elu_slope(x, SELU_ALPHA),
  },
  gelu: {
    formula: "y = x · P(X ≤ x) = x / 2 · (1 + erf(x / √2))",
    f: (x) => x * below(x),
    slope: (x) => below(x) + x * density(x),
  },
  "gelu, approximate": {
    formula: "y = x / 2 · (1 + tanh(√(2 / π) · (x + 0.044715 x³)))",
    f: (x) => (x / 2) * (1 + tanh(bend(x))),
    slope: (x) =>
      (1 + tanh(bend(x))) / 2 + (x / 2) * (1 - tanh(bend(x)) ** 2) * bend_slope(x),
  },
  silu: {
    formula: "y = x · sigmoid(x)",
    f: (x) => x * sigmoid(x),
    slope: (x) => sigmoid(x) * (1 + x * (1 - sigmoid(x))),
  },
  hard_silu: {
    formula: "y = x · hard_sigmoid(x)",
    f: (x) => x * hard_sigmoid(x),
    slope: (x) => hard_sigmoid(x) + (x * inside(x, -3, 3)) / 6,
  },
  mish: {
    formula: "y = x · tanh(softplus(x))",
    f: (x) => x * tanh(softplus(x)),
    slope: (x) => {
      const t = tanh(softplus(x));
      return t + x * (1 - t ** 2) * sigmoid(x);
    },
  },
  glu: {
    formula: "y = a · sigmoid(b), drawn over a for one value of b",
    parameter: { name: "b", value: 1, min: -4, max: 4 },
    f: (a, b = 1) => a * sigmoid(b),
    slope: (a, b = 1) => sigmoid(b),
  },
  lisht: {
    formula: "y = x · tanh(x)",
    f: (x) => x * tanh(x),
    slope: (x) => tanh(x) + x * (1 - tanh(x) ** 2),
  },
  snake: {
    formula: "y = x + sin(a x)² / a, where a is the frequency",
    parameter: { name: "frequency", value: 1, min: 0.2, max: 5 },
    f: (x, a = 1) => x + Math.sin(a * x) ** 2 / a,
    slope: (x, a = 1) => 1 + Math.sin(2 * a * x),
  },
  softplus: { formula: "y = log(1 + e^x)", f: softplus, slope: sigmoid },
  squareplus: {
    formula: "y = (x + √(x² + b)) / 2",
    parameter: { name: "b", value: 4, min: 0, max: 16 },
    f: (x, b = 4) => (x + sqrt(x ** 2 + b)) / 2,
    slope: (x, b = 4) => (1 + x / sqrt(x ** 2 + b || 1)) / 2,
  },
  sparse_plus: {
    formula: "y = 0 if x ≤ −1, (x + 1)² / 4 if −1 < x < 1, x if x ≥ 1",
    f: (x) => max(x - 1, 0) + sparse_sigmoid(x) ** 2,
    slope: sparse_sigmoid,
  },
  exponential: { formula: "y = e^x", f: exp, slope: exp },
  sigmoid: {
    formula: "y = 1 / (1 + e^−x)",
    f: sigmoid,
    slope: (x) => sigmoid(x) * (1 - sigmoid(x)),
  },
  hard_sigmoid: {
    formula: "y = min(max(x + 3, 0), 6) / 6",
    f: hard_sigmoid,
    slope: (x) => inside(x, -3, 3) / 6,
  },
  sparse_sigmoid: {
    formula: "y = min(max((x + 1) / 2, 0), 1)",
    f: sparse_sigmoid,
    slope: (x) => inside(x, -1, 1) / 2,
  },
  log_sigmoid: {
    formula: "y = −softplus(−x)",
    f: (x) => -softplus(-x),
    slope: (x) => sigmoid(-x),
  },
  tanh: {
    formula: "y = (e^x − e^−x) / (e^x + e^−x)",
    f: tanh,
    slope: (x) => 1 - tanh(x) ** 2,
  },
  hard_tanh: {
    formula: "y = min(max(x, −1), 1)",
    f: (x) => min(max(x, -1), 1),
    slope: (x) => inside(x, -1, 1),
  },
  softsign: {
    formula: "y = x / (1 + |x|)",
    f: (x) => x / (1 + abs(x)),
    slope: (x) => 1 / (1 + abs(x)) ** 2,
  },
  soft_shrink: {
    formula: "y = x − min(max(x, −threshold), threshold)",
    parameter: { name: "threshold", value: 0.5, min: 0, max: 2 },
    f: (x, t = 0.5) => x - min(max(x, -t), t),
    slope: (x, t = 0.5) => 1 - inside(x, -t, t),
  },
  hard_shrink: {
    formula: "y = x if |x| > threshold, else 0",
    parameter: { name: "threshold", value: 0.5, min: 0, max: 2 },
    f: (x, t = 0.5) => (abs(x) > t ? x : 0),
    slope: (x, t = 0.5) => (abs(x) > t ? 1 : 0),
  },
  tanh_shrink: {
    formula: "y = x − tanh(x)",
    f: (x) => x - tanh(x),
    slope: (x) => tanh(x) ** 2,
  },
  threshold: {
    formula: "y = x if x > threshold, else default_value, which is 0 here",
    parameter: { name: "threshold", value: 1, min: -2, max: 2 },
    f: (x, t = 1) => (x > t ? x : 0),
    slope: (x, t = 1) => (x > t ? 1 : 0),
  },
};

// Activations of several scores at once.

export function log_softmax(x) {
  const largest = max(...x);
  const s = x.map((score) => score - largest);
  const total = Math.log(s.reduce((sum, score) => sum + exp(score), 0));
  return s.map((score) => score - total);
}

export const softmax = (x) => log_softmax(x).map(exp);

export function sparsemax(x) {
  const z = [...x].sort((a, b) => b - a);
  let sum = 0;
  const tau = max(...z.map((score, k) => ((sum += score) - 1) / (k + 1)));
  return x.map((score) => max(score - tau, 0));
}

/** The slopes of the probabilities for score j: d y_i / d x_j. */
export const SLOPES = {
  softmax: (x, j) => {
    const y = softmax(x);
    return y.map((p, i) => p * ((i === j ? 1 : 0) - y[j]));
  },
  log_softmax: (x, j) => {
    const y = softmax(x);
    return y.map((_, i) => (i === j ? 1 : 0) - y[j]);
  },
  sparsemax: (x, j) => {
    const y = sparsemax(x);
    const count = y.filter((p) => p > 0).length;
    const isKept = (i) => (y[i] > 0 ? 1 : 0);
    return y.map((_, i) => isKept(i) * isKept(j) * ((i === j ? 1 : 0) - 1 / count));
  },
};

export const DISTRIBUTIONS = { softmax, log_softmax, sparsemax };
