// Surfaces to descend: height(w), its gradient, and what is drawn of them.

export const SURFACES = {
  "A valley along one axis": {
    formula: "(x² + 25 y²) / 2",
    height: ([x, y]) => (x ** 2 + 25 * y ** 2) / 2,
    gradient: ([x, y]) => [x, 25 * y],
    start: [-3.4, 1.6],
    minima: [[0, 0]],
  },
  "A valley turned by 45 degrees": {
    formula: "((x + y)² + 25 (x − y)²) / 4",
    height: ([x, y]) => ((x + y) ** 2 + 25 * (x - y) ** 2) / 4,
    gradient: ([x, y]) => [
      (x + y + 25 * (x - y)) / 2,
      (x + y - 25 * (x - y)) / 2,
    ],
    start: [-3.2, -1.4],
    minima: [[0, 0]],
  },
  "A saddle between two minima": {
    formula: "1.5 x² + (y² − 1)² / 4",
    height: ([x, y]) => 1.5 * x ** 2 + (y ** 2 - 1) ** 2 / 4,
    gradient: ([x, y]) => [3 * x, (y ** 2 - 1) * y],
    start: [2.6, 0.01],
    minima: [
      [0, 1],
      [0, -1],
    ],
  },
  "Rosenbrock's curved valley": {
    formula: "(1 − x)² + 10 (y − x²)²",
    height: ([x, y]) => (1 - x) ** 2 + 10 * (y - x ** 2) ** 2,
    gradient: ([x, y]) => [
      -2 * (1 - x) - 40 * x * (y - x ** 2),
      20 * (y - x ** 2),
    ],
    start: [-1.6, 2.2],
    minima: [[1, 1]],
  },
  "Himmelblau's four minima": {
    formula: "((x² + y − 11)² + (x + y² − 7)²) / 20",
    height: ([x, y]) => ((x ** 2 + y - 11) ** 2 + (x + y ** 2 - 7) ** 2) / 20,
    gradient: ([x, y]) => {
      const a = x ** 2 + y - 11;
      const b = x + y ** 2 - 7;
      return [(4 * x * a + 2 * b) / 20, (2 * a + 4 * y * b) / 20];
    },
    start: [0, -0.4],
    minima: [
      [3, 2],
      [-2.805118, 3.131312],
      [-3.77931, -3.283186],
      [3.584428, -1.848126],
    ],
  },
};

/** The path of a step from a start: an array of steps + 1 points.
 *
 * It ends early where a weight is no longer a finite number.
 */
export function descend(step, surface, start, steps) {
  const path = [start];
  for (let i = 0; i < steps; i += 1) {
    const next = step(path.at(-1), surface.gradient);
    if (!next.every((x) => Math.abs(x) < 1e6)) break;
    path.push(next);
  }
  return path;
}

const LOW = 0.01;
/** The learning rates that `bestRate` tries, 1e-4 to 10. */
export const RATES = Array.from({ length: 21 }, (_, i) => 10 ** (-4 + i / 4));

/** {rate, steps}: the rate with which a descent soonest stays below the height 0.01.
 *
 * If none does within `steps`, it is the rate whose descent ends lowest, and the
 * number of steps is null.
 */
export function bestRate(optimizer, surface, start, steps) {
  let best = { rate: optimizer.defaults.learning_rate, steps: null, end: Infinity };
  for (const rate of RATES) {
    if (optimizer.defaults.lambda_ && rate >= 1) continue; // a share of w
    const step = optimizer.create({ learning_rate: rate });
    const path = descend(step, surface, start, steps);
    const count = stepsToLow(path, surface);
    const end = path.length > steps ? surface.height(path.at(-1)) : Infinity;
    const isSooner = count !== null && (best.steps === null || count < best.steps);
    const isLower = best.steps === null && count === null && end < best.end;
    if (isSooner || isLower) best = { rate, steps: count, end };
  }
  return { rate: best.rate, steps: best.steps };
}

/** The number of steps after which a path stays below the height 0.01, or null. */
export function stepsToLow(path, surface) {
  let count = null;
  for (let i = path.length - 1; i >= 0; i -= 1) {
    if (!(surface.height(path[i]) < LOW)) break;
    count = i;
  }
  return count;
}
