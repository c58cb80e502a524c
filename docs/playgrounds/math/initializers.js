// Initializers, with the formulas of custom_layers/initializers, and what they do to
// signals that go through many layers.

import { ACTIVATIONS } from "./activations.js";
import { normals, uniforms } from "./random.js";

// Standard deviation of a standard normal that is cut off at -2 and 2.
export const TRUNCATED_STDDEV = 0.87962566103423978;

const scaled = (scale, mode, kind) => (fan_in, fan_out) => {
  const n = { fan_in, fan_out, fan_avg: (fan_in + fan_out) / 2 }[mode];
  const variance = scale / n;
  if (kind === "uniform") return { kind, limit: Math.sqrt(3 * variance) };
  // The cut takes variance away, which a larger deviation restores.
  return { kind, stddev: Math.sqrt(variance) / TRUNCATED_STDDEV };
};
const fixed = (distribution) => () => distribution;

/** {name: a function (fan_in, fan_out) that describes what weights are drawn from}. */
export const INITIALIZERS = {
  GlorotUniform: scaled(1, "fan_avg", "uniform"),
  GlorotNormal: scaled(1, "fan_avg", "truncated_normal"),
  HeUniform: scaled(2, "fan_in", "uniform"),
  HeNormal: scaled(2, "fan_in", "truncated_normal"),
  LecunUniform: scaled(1, "fan_in", "uniform"),
  LecunNormal: scaled(1, "fan_in", "truncated_normal"),
  Orthogonal: fixed({ kind: "orthogonal", gain: 1 }),
  RandomNormal: fixed({ kind: "normal", stddev: 0.05 }),
  TruncatedNormal: fixed({ kind: "truncated_normal", stddev: 0.05 }),
  RandomUniform: fixed({ kind: "uniform", limit: 0.05 }),
  Identity: fixed({ kind: "identity" }),
  Ones: fixed({ kind: "constant", value: 1 }),
  Zeros: fixed({ kind: "constant", value: 0 }),
};

/** The variance of the weights of a square matrix. */
export function variance({ kind, limit, stddev, gain, value }, size) {
  return {
    uniform: limit ** 2 / 3,
    normal: stddev ** 2,
    truncated_normal: (stddev * TRUNCATED_STDDEV) ** 2,
    orthogonal: gain ** 2 / size,
    identity: 1 / size - 1 / size ** 2,
    constant: 0 * value,
  }[kind];
}

/** A matrix of weights: `size` rows, one for each input, of `size` columns. */
export function drawMatrix(distribution, size, seed) {
  const { kind, limit, stddev, value, gain } = distribution;
  const uniform = uniforms(seed);
  const normal = normals(seed);
  const truncated = () => {
    for (;;) {
      const z = normal();
      if (Math.abs(z) < 2) return z;
    }
  };
  const square = (entry) =>
    Array.from({ length: size }, (_, i) =>
      Float64Array.from({ length: size }, (_, j) => entry(i, j)),
    );
  if (kind === "orthogonal") {
    const Q = orthonormal(square(normal));
    return Q.map((row) => row.map((x) => gain * x));
  }
  const entries = {
    uniform: () => limit * (2 * uniform() - 1),
    normal: () => stddev * normal(),
    truncated_normal: () => stddev * truncated(),
    identity: (i, j) => (i === j ? 1 : 0),
    constant: () => value,
  };
  return square(entries[kind]);
}

/** Q of A = Q R, where the diagonal of R is positive: Gram and Schmidt, by columns. */
export function orthonormal(A) {
  const size = A.length;
  const columns = A[0].length;
  const Q = A.map((row) => Float64Array.from(row));
  for (let j = 0; j < columns; j += 1) {
    // Twice, because one pass leaves what rounding makes of nearly parallel columns.
    for (let k = 0; k < 2 * j; k += 1) {
      const other = k % j;
      let dot = 0;
      for (let i = 0; i < size; i += 1) dot += Q[i][j] * Q[i][other];
      for (let i = 0; i < size; i += 1) Q[i][j] -= dot * Q[i][other];
    }
    let square = 0;
    for (let i = 0; i < size; i += 1) square += Q[i][j] ** 2;
    const length = Math.sqrt(square);
    for (let i = 0; i < size; i += 1) Q[i][j] /= length;
  }
  return Q;
}

/** rows (B, N) times W (N, M). */
function product(rows, W) {
  return rows.map((row) => {
    const result = new Float64Array(W[0].length);
    row.forEach((x, i) => {
      const weights = W[i];
      for (let j = 0; j < result.length; j += 1) result[j] += x * weights[j];
    });
    return result;
  });
}

/** rows (B, M) times the transpose of W (N, M). */
function productBack(rows, W) {
  return rows.map((row) =>
    Float64Array.from(W, (weights) => {
      let sum = 0;
      for (let j = 0; j < row.length; j += 1) sum += weights[j] * row[j];
      return sum;
    }),
  );
}

/** {signals, gradients}: what stands at the input of each layer and behind the last.
 *
 * signals[l] goes forward, x = f(x W); gradients[l] is d (sum of last * x) / d signal,
 * for the rows `last` that arrive at the end.
 */
export function throughDepth(x, matrices, activation, last) {
  const { f, slope } = ACTIVATIONS[activation];
  const signals = [x.map((row) => Float64Array.from(row))];
  const sums = [];
  for (const W of matrices) {
    const z = product(signals.at(-1), W);
    sums.push(z);
    signals.push(z.map((row) => row.map((value) => f(value))));
  }
  const gradients = [last.map((row) => Float64Array.from(row))];
  for (let layer = matrices.length - 1; layer >= 0; layer -= 1) {
    const z = sums[layer];
    const delta = gradients[0].map((row, b) => row.map((g, j) => g * slope(z[b][j])));
    gradients.unshift(productBack(delta, matrices[layer]));
  }
  return { signals, gradients };
}

/** The root of the mean square of rows of numbers. */
export function rootMeanSquare(rows) {
  let [sum, count] = [0, 0];
  for (const row of rows) {
    for (const value of row) sum += value * value;
    count += row.length;
  }
  return Math.sqrt(sum / count);
}
