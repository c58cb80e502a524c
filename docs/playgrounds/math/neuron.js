// A neuron with one input: y = f(w x + b), and how it learns.

import { ACTIVATIONS } from "./activations.js";

export function output({ w, b }, x, activation) {
  return ACTIVATIONS[activation].f(w * x + b);
}

/** {loss, dw, db}: the mean of (y - target)^2 over points [x, target], and its slopes. */
export function lossAndGradient({ w, b }, points, activation) {
  const { f, slope } = ACTIVATIONS[activation];
  let [loss, dw, db] = [0, 0, 0];
  for (const [x, target] of points) {
    const z = w * x + b;
    const error = f(z) - target;
    const delta = (2 * error * slope(z)) / points.length; // d loss / d z
    loss += error ** 2 / points.length;
    dw += delta * x;
    db += delta;
  }
  return { loss, dw, db };
}

/** The neuron after one step of gradient descent. */
export function step(neuron, points, activation, learning_rate) {
  const { dw, db } = lossAndGradient(neuron, points, activation);
  return { w: neuron.w - learning_rate * dw, b: neuron.b - learning_rate * db };
}
