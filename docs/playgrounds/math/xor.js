// The XOR network: two inputs, H hidden units, one output; trained by all examples.

import { ACTIVATIONS } from "./activations.js";
import { normals } from "./random.js";

export const X = [
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
];
export const Y = [0, 1, 1, 0];

/** Random start weights: W1 (2, H), b1 (H), W2 (H), b2. */
export function startWeights(hidden, seed) {
  const normal = normals(seed);
  const row = () => Array.from({ length: hidden }, normal);
  return { W1: [row(), row()], b1: row(), W2: row(), b2: normal() };
}

/** {z1, h, z2, o} for one example: weighted sums, hidden units and the output. */
export function forward({ W1, b1, W2, b2 }, x, activation) {
  const z1 = b1.map((b, j) => x[0] * W1[0][j] + x[1] * W1[1][j] + b);
  const h = z1.map(ACTIVATIONS[activation].f);
  const z2 = h.reduce((sum, unit, j) => sum + unit * W2[j], b2);
  return { z1, h, z2, o: ACTIVATIONS.sigmoid.f(z2) };
}

/** {loss, gradient}: mean((o - y)^2), and its slope for each weight. */
export function lossAndGradient(weights, activation) {
  const { W1, b1, W2 } = weights;
  const zeros = () => b1.map(() => 0);
  const gradient = { W1: [zeros(), zeros()], b1: zeros(), W2: zeros(), b2: 0 };
  let loss = 0;
  X.forEach((x, example) => {
    const { z1, h, z2, o } = forward(weights, x, activation);
    const error = o - Y[example];
    loss += error ** 2 / X.length;

    // delta = d loss / d z, from the output back
    const delta2 = ((2 * error) / X.length) * ACTIVATIONS.sigmoid.slope(z2);
    gradient.b2 += delta2;
    z1.forEach((z, j) => {
      const delta1 = delta2 * W2[j] * ACTIVATIONS[activation].slope(z);
      gradient.W2[j] += h[j] * delta2;
      gradient.W1[0][j] += x[0] * delta1;
      gradient.W1[1][j] += x[1] * delta1;
      gradient.b1[j] += delta1;
    });
  });
  return { loss, gradient };
}

/** The weights after one step of gradient descent. */
export function step(weights, activation, learning_rate) {
  const { gradient } = lossAndGradient(weights, activation);
  const less = (w, g) => w.map((value, i) => value - learning_rate * g[i]);
  return {
    W1: weights.W1.map((row, i) => less(row, gradient.W1[i])),
    b1: less(weights.b1, gradient.b1),
    W2: less(weights.W2, gradient.W2),
    b2: weights.b2 - learning_rate * gradient.b2,
  };
}
