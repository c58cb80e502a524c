// Optimizers on a few weights, with the symbols of custom_layers/optimizers.
//
// An optimizer is { defaults, create(settings) }. What `create` returns is a step:
// step(w, gradient) takes the array of weights and a function that gives the gradient
// at any weights, and returns the new weights. step.answer, where there is one, gives
// the averaged weights with which a training would end.

/** An optimizer that treats each weight alone: update(s, w, g, h, t) is the new w.
 *
 * start(h, w) gives the slots s of a weight, h are the settings, and t is the number of
 * the step, from 1 on.
 */
function each(defaults, start, update, answer) {
  const wholes = (h, w) => w.map((x) => start(h, x));
  const updates = (s, w, g, h, t) => w.map((x, i) => update(s[i], x, g[i], h, t));
  const answers = answer && ((s, w, h) => w.map((x, i) => answer(s[i], x, h)));
  return all(defaults, wholes, updates, answers);
}

/** An optimizer that looks at all weights together: w and g are arrays. */
function all(defaults, start, update, answer) {
  const create = (settings = {}) => {
    const h = { ...defaults, ...settings };
    let slots = null;
    let t = 0;
    const step = (w, gradient) => {
      slots ??= start(h, w);
      t += 1;
      step.weights = update(slots, w, gradient(w), h, t);
      return step.weights;
    };
    if (answer) step.answer = () => answer(slots, step.weights, h);
    return step;
  };
  return { defaults, create };
}

const norm = (x) => Math.hypot(...x);
const rms = (x) => norm(x) / Math.sqrt(x.length);

export const SGD = each(
  { learning_rate: 0.01, momentum: 0, nesterov: false },
  () => ({ m: 0 }),
  (s, w, g, { learning_rate: lr, momentum, nesterov }) => {
    if (momentum === 0) return w - lr * g;
    s.m = momentum * s.m - lr * g;
    return nesterov ? w + momentum * s.m - lr * g : w + s.m;
  },
);

export const Adagrad = each(
  { learning_rate: 0.001, initial_accumulator_value: 0.1, epsilon: 1e-7 },
  (h) => ({ a: h.initial_accumulator_value }),
  (s, w, g, { learning_rate: lr, epsilon }) => {
    s.a = s.a + g ** 2;
    return w - (lr * g) / Math.sqrt(s.a + epsilon);
  },
);

export const Adadelta = each(
  { learning_rate: 0.001, rho: 0.95, epsilon: 1e-7 },
  () => ({ a: 0, d: 0 }),
  (s, w, g, { learning_rate: lr, rho, epsilon }) => {
    s.a = rho * s.a + (1 - rho) * g ** 2;
    const step = Math.sqrt((s.d + epsilon) / (s.a + epsilon)) * g;
    s.d = rho * s.d + (1 - rho) * step ** 2;
    return w - lr * step;
  },
);

export const RMSprop = each(
  { learning_rate: 0.001, rho: 0.9, momentum: 0, epsilon: 1e-7, centered: false },
  () => ({ v: 0, mean: 0, m: 0 }),
  (s, w, g, { learning_rate: lr, rho, momentum, epsilon, centered }) => {
    s.v = rho * s.v + (1 - rho) * g ** 2;
    s.mean = rho * s.mean + (1 - rho) * g;
    const variance = centered ? s.v - s.mean ** 2 : s.v;
    const step = (lr * g) / Math.sqrt(variance + epsilon);
    if (momentum === 0) return w - step;
    s.m = momentum * s.m + step;
    return w - s.m;
  },
);

const OF_ADAM = { learning_rate: 0.001, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7 };

/** The averages of Adam, which its relatives keep as well. */
function averages(s, g, { beta_1, beta_2 }) {
  s.m = beta_1 * s.m + (1 - beta_1) * g;
  s.v = beta_2 * s.v + (1 - beta_2) * g ** 2;
}

function adam(s, w, g, h, t) {
  const { learning_rate: lr, beta_1, beta_2, epsilon, amsgrad } = h;
  averages(s, g, h);
  s.v_hat = amsgrad ? Math.max(s.v_hat, s.v) : s.v;
  const alpha = (lr * Math.sqrt(1 - beta_2 ** t)) / (1 - beta_1 ** t);
  return w - (alpha * s.m) / (Math.sqrt(s.v_hat) + epsilon);
}

const slotsOfAdam = () => ({ m: 0, v: 0, v_hat: 0 });

export const Adam = each({ ...OF_ADAM, amsgrad: false }, slotsOfAdam, adam);

export const AdamW = each(
  { ...OF_ADAM, weight_decay: 0.004, amsgrad: false },
  slotsOfAdam,
  (s, w, g, h, t) => adam(s, w - h.learning_rate * h.weight_decay * w, g, h, t),
);

export const Nadam = each(
  OF_ADAM,
  () => ({ m: 0, v: 0, p: 1 }),
  (s, w, g, h, t) => {
    const { learning_rate: lr, beta_1, beta_2, epsilon } = h;
    const u = beta_1 * (1 - 0.5 * 0.96 ** t);
    const next_u = beta_1 * (1 - 0.5 * 0.96 ** (t + 1));
    s.p = s.p * u;
    averages(s, g, h);
    const m_hat = (next_u * s.m) / (1 - s.p * next_u) + ((1 - u) * g) / (1 - s.p);
    return w - (lr * m_hat) / (Math.sqrt(s.v / (1 - beta_2 ** t)) + epsilon);
  },
);

export const Adamax = each(
  OF_ADAM,
  () => ({ m: 0, u: 0 }),
  (s, w, g, { learning_rate: lr, beta_1, beta_2, epsilon }, t) => {
    s.m = beta_1 * s.m + (1 - beta_1) * g;
    s.u = Math.max(beta_2 * s.u, Math.abs(g));
    return w - ((lr / (1 - beta_1 ** t)) * s.m) / (s.u + epsilon);
  },
);

export const AdaBelief = each(
  { ...OF_ADAM, epsilon: 1e-14, amsgrad: false },
  () => ({ m: 0, s: 0, s_hat: 0 }),
  (s, w, g, { learning_rate: lr, beta_1, beta_2, epsilon, amsgrad }, t) => {
    s.m = beta_1 * s.m + (1 - beta_1) * g;
    s.s = beta_2 * s.s + (1 - beta_2) * (g - s.m) ** 2 + epsilon;
    s.s_hat = amsgrad ? Math.max(s.s_hat, s.s) : s.s;
    const root = Math.sqrt(s.s_hat / (1 - beta_2 ** t));
    return w - ((lr / (1 - beta_1 ** t)) * s.m) / (root + epsilon);
  },
);

export const RectifiedAdam = each(
  { ...OF_ADAM, amsgrad: false, sma_threshold: 5 },
  slotsOfAdam,
  (s, w, g, h, t) => {
    const { learning_rate: lr, beta_1, beta_2 } = h;
    const rho_inf = 2 / (1 - beta_2) - 1;
    const rho = rho_inf - (2 * t * beta_2 ** t) / (1 - beta_2 ** t);
    if (rho > h.sma_threshold) {
      const above = (rho - 4) * (rho - 2) * rho_inf;
      const below = (rho_inf - 4) * (rho_inf - 2) * rho;
      const r = Math.sqrt(above / below);
      return adam(s, w, g, { ...h, learning_rate: r * lr }, t);
    }
    averages(s, g, h);
    s.v_hat = h.amsgrad ? Math.max(s.v_hat, s.v) : s.v;
    return w - (lr * s.m) / (1 - beta_1 ** t);
  },
);

export const Yogi = each(
  {
    ...OF_ADAM,
    learning_rate: 0.01,
    epsilon: 1e-3,
    initial_accumulator_value: 1e-6,
  },
  (h) => ({ m: 0, v: h.initial_accumulator_value }),
  (s, w, g, { learning_rate: lr, beta_1, beta_2, epsilon }, t) => {
    s.m = beta_1 * s.m + (1 - beta_1) * g;
    s.v = s.v - (1 - beta_2) * Math.sign(s.v - g ** 2) * g ** 2;
    const alpha = (lr * Math.sqrt(1 - beta_2 ** t)) / (1 - beta_1 ** t);
    return w - (alpha * s.m) / (Math.sqrt(s.v) + epsilon);
  },
);

export const Lamb = all(
  OF_ADAM,
  (h, w) => w.map(slotsOfAdam),
  (s, w, g, h, t) => {
    const { learning_rate: lr, beta_1, beta_2, epsilon } = h;
    const u = w.map((_, i) => {
      averages(s[i], g[i], h);
      const { m, v } = s[i];
      return m / (1 - beta_1 ** t) / (Math.sqrt(v / (1 - beta_2 ** t)) + epsilon);
    });
    const trust = norm(w) * norm(u) > 0 ? norm(w) / norm(u) : 1;
    return w.map((x, i) => x - lr * trust * u[i]);
  },
);

export const NovoGrad = all(
  { ...OF_ADAM, grad_averaging: false },
  (h, w) => ({ v: 0, m: w.map(() => 0) }),
  (s, w, g, { learning_rate: lr, beta_1, beta_2, epsilon, grad_averaging }, t) => {
    const square = norm(g) ** 2;
    s.v = t === 1 ? square : beta_2 * s.v + (1 - beta_2) * square;
    const share = grad_averaging ? 1 - beta_1 : 1;
    s.m = s.m.map((m, i) => beta_1 * m + (share * g[i]) / (Math.sqrt(s.v) + epsilon));
    return w.map((x, i) => x - lr * s.m[i]);
  },
);

export const Lion = each(
  { learning_rate: 0.001, beta_1: 0.9, beta_2: 0.99 },
  () => ({ m: 0 }),
  (s, w, g, { learning_rate: lr, beta_1, beta_2 }) => {
    const c = beta_1 * s.m + (1 - beta_1) * g;
    s.m = beta_2 * s.m + (1 - beta_2) * g;
    return w - lr * Math.sign(c);
  },
);

export const Ftrl = each(
  {
    learning_rate: 0.001,
    learning_rate_power: -0.5,
    initial_accumulator_value: 0.1,
    l1_regularization_strength: 0,
    l2_regularization_strength: 0,
    l2_shrinkage_regularization_strength: 0,
    beta: 0,
  },
  (h) => ({ a: h.initial_accumulator_value, z: 0 }),
  (s, w, g, h) => {
    const lr = h.learning_rate;
    const p = -h.learning_rate_power;
    const l1 = h.l1_regularization_strength;
    const l2 = h.l2_regularization_strength;
    const new_a = s.a + g ** 2;
    const pull = (new_a ** p - s.a ** p) / lr;
    s.z = s.z + g + (2 * h.l2_shrinkage_regularization_strength - pull) * w;
    const q = new_a ** p / lr + 2 * l2 + h.beta / lr;
    s.a = new_a;
    return (Math.min(Math.max(s.z, -l1), l1) - s.z) / q;
  },
);

export const ProximalAdagrad = each(
  {
    learning_rate: 0.001,
    initial_accumulator_value: 0.1,
    l1_regularization_strength: 0,
    l2_regularization_strength: 0,
  },
  (h) => ({ a: h.initial_accumulator_value }),
  (s, w, g, h) => {
    const l1 = h.l1_regularization_strength;
    const l2 = h.l2_regularization_strength;
    s.a = s.a + g ** 2;
    const r = h.learning_rate / Math.sqrt(s.a);
    const u = w - r * g;
    return (Math.sign(u) * Math.max(Math.abs(u) - r * l1, 0)) / (1 + r * l2);
  },
);

export const Rprop = each(
  { learning_rate: 0.01, decrease: 0.5, increase: 1.2, shortest: 1e-6, longest: 50 },
  (h) => ({ old_g: 0, step: h.learning_rate }),
  (s, w, g, { decrease, increase, shortest, longest }) => {
    const agreement = Math.sign(g) * Math.sign(s.old_g);
    if (agreement > 0) s.step = Math.min(increase * s.step, longest);
    if (agreement < 0) s.step = Math.max(decrease * s.step, shortest);
    s.old_g = agreement < 0 ? 0 : g;
    return w - Math.sign(s.old_g) * s.step;
  },
);

export const COCOB = each(
  { learning_rate: 1, alpha: 100, epsilon: 1e-8 },
  (h) => ({ L: h.epsilon, G: 0, theta: 0, reward: 0, d: 0 }),
  (s, w, g, { learning_rate: lr, alpha }) => {
    const old_d = s.d;
    s.L = Math.max(s.L, Math.abs(g));
    s.G = s.G + Math.abs(g);
    s.reward = Math.max(s.reward - old_d * g, 0);
    s.theta = s.theta - g;
    s.d = (s.theta / (s.L * Math.max(s.G + s.L, alpha * s.L))) * (s.L + s.reward);
    return w + lr * (s.d - old_d);
  },
);

export const ScheduleFreeAdamW = each(
  { ...OF_ADAM, learning_rate: 0.0025, epsilon: 1e-8, warmup_steps: 0 },
  (h, w) => ({ v: 0, z: w, x: w }),
  (s, w, g, { learning_rate, beta_1, beta_2, epsilon, warmup_steps }, t) => {
    const lr = learning_rate * Math.min(t / Math.max(warmup_steps, 1), 1);
    s.v = beta_2 * s.v + (1 - beta_2) * g ** 2;
    s.z = s.z - (lr * g) / (Math.sqrt(s.v / (1 - beta_2 ** t)) + epsilon);
    s.x = (1 - 1 / t) * s.x + (1 / t) * s.z;
    return (1 - beta_1) * s.z + beta_1 * s.x;
  },
  (s) => s.x,
);

export const Adafactor = all(
  {
    learning_rate: 0.001,
    beta_2_decay: -0.8,
    epsilon_1: 1e-30,
    epsilon_2: 1e-3,
    clip_threshold: 1,
  },
  (h, w) => ({ v: w.map(() => 0) }),
  (s, w, g, h, t) => {
    const beta = 1 - t ** h.beta_2_decay;
    s.v = s.v.map((v, i) => beta * v + (1 - beta) * (g[i] ** 2 + h.epsilon_1));
    const u = g.map((x, i) => x / Math.sqrt(s.v[i]));
    const rate = Math.min(h.learning_rate, 1 / Math.sqrt(t));
    const alpha = rate * Math.max(h.epsilon_2, rms(w));
    const clip = Math.max(1, rms(u) / h.clip_threshold);
    return w.map((x, i) => x - (alpha * u[i]) / clip);
  },
);

export const ConditionalGradient = all(
  { learning_rate: 0.99, lambda_: 10, epsilon: 1e-7 },
  () => ({}),
  (_, w, g, { learning_rate: lr, lambda_, epsilon }) => {
    const s = g.map((x) => (-lambda_ * x) / (norm(g) + epsilon));
    return w.map((x, i) => lr * x + (1 - lr) * s[i]);
  },
);

/** Shampoo of two weights in a vector, for which it is full Adagrad: L^(-1/2) g. */
export const Shampoo = all(
  { learning_rate: 0.1, epsilon: 1e-4 },
  (h) => ({ L: [h.epsilon, 0, h.epsilon] }), // a, b, c of [[a, b], [b, c]]
  (s, w, g, { learning_rate: lr }) => {
    s.L = [s.L[0] + g[0] ** 2, s.L[1] + g[0] * g[1], s.L[2] + g[1] ** 2];
    const [a, b, c] = inverseRoot(s.L);
    const step = [a * g[0] + b * g[1], b * g[0] + c * g[1]];
    return w.map((x, i) => x - lr * step[i]);
  },
);

/** L^(-1/2) of a symmetric positive L = [[a, b], [b, c]], as such a triple. */
function inverseRoot([a, b, c]) {
  const middle = (a + c) / 2;
  const radius = Math.hypot((a - c) / 2, b);
  const large = middle + radius;
  const small = (a * c - b * b) / large; // the product of both is the determinant
  const root = Math.sqrt(large * small);
  // For 2 x 2 matrices sqrt(L) = (L + root I) / trace, with its trace:
  const trace = Math.sqrt(a + c + 2 * root);
  const scale = 1 / (trace * root); // the determinant of sqrt(L) is root
  return [scale * (c + root), -scale * b, scale * (a + root)];
}

// Wrappers take the step of an inner optimizer.

export function lookahead(inner, { sync_period = 6, slow_step_size = 0.5 } = {}) {
  let slow = null;
  let t = 0;
  return (w, gradient) => {
    slow ??= w;
    t += 1;
    const fast = inner(w, gradient);
    if (t % sync_period !== 0) return fast;
    slow = slow.map((x, i) => x + slow_step_size * (fast[i] - x));
    return slow;
  };
}

export function sam(inner, { rho = 0.05 } = {}) {
  return (w, gradient) => {
    const atTop = (origin) => {
      const g = gradient(origin);
      const scale = norm(g) > 0 ? rho / norm(g) : 0;
      return gradient(origin.map((x, i) => x + scale * g[i]));
    };
    return inner(w, atTop);
  };
}

export function swa(inner, { start_averaging = 0, average_period = 10 } = {}) {
  let average = null;
  let t = 0;
  const step = (w, gradient) => {
    const new_w = inner(w, gradient);
    const since = t - start_averaging;
    t += 1;
    if (since >= 0 && since % average_period === 0) {
      const n = since / average_period;
      average = new_w.map((x, i) => (n * (average?.[i] ?? 0) + x) / (n + 1));
    }
    step.weights = new_w;
    return new_w;
  };
  step.answer = () => average ?? step.weights;
  return step;
}

export function movingAverage(inner, { average_decay = 0.99, start_step = 0 } = {}) {
  let average = null;
  let t = 0;
  const step = (w, gradient) => {
    const new_w = inner(w, gradient);
    const decay = t - start_step > 0 ? average_decay : 0;
    t += 1;
    average = new_w.map((x, i) => decay * (average?.[i] ?? 0) + (1 - decay) * x);
    return new_w;
  };
  step.answer = () => average;
  return step;
}

/** The norm of the gradient, which is one unit's, is bounded by that of the weights. */
export function adaptiveGradientClipping(
  inner,
  { clipping = 0.01, epsilon = 1e-3 } = {},
) {
  return (w, gradient) => {
    const clipped = (at) => {
      const g = gradient(at);
      const largest = clipping * Math.max(norm(at), epsilon);
      return g.map((x) => (x * largest) / Math.max(norm(g), largest));
    };
    return inner(w, clipped);
  };
}

const wrapped = (wrap, optimizer, options) => ({
  defaults: optimizer.defaults,
  create: (settings) => wrap(optimizer.create(settings), options),
});
const withSettings = (optimizer, settings) => ({
  defaults: { ...optimizer.defaults, ...settings },
  create: (more) => optimizer.create({ ...settings, ...more }),
});

/** {name on the page: optimizer}, in the order of the menu. */
export const OPTIMIZERS = {
  SGD,
  "SGD with momentum": withSettings(SGD, { momentum: 0.9 }),
  "SGD with Nesterov momentum": withSettings(SGD, { momentum: 0.9, nesterov: true }),
  Adagrad,
  Adadelta,
  RMSprop,
  "RMSprop, centered": withSettings(RMSprop, { centered: true }),
  "RMSprop with momentum": withSettings(RMSprop, { momentum: 0.9 }),
  Adam,
  "Adam with amsgrad": withSettings(Adam, { amsgrad: true }),
  AdamW: withSettings(AdamW, { weight_decay: 0.1 }),
  Nadam,
  Adamax,
  AdaBelief,
  RectifiedAdam,
  Yogi,
  Lamb,
  NovoGrad,
  Adafactor,
  Lion,
  Ftrl,
  ProximalAdagrad,
  Rprop,
  COCOB,
  ScheduleFreeAdamW,
  Shampoo,
  ConditionalGradient: withSettings(ConditionalGradient, { lambda_: 3 }),
  "Lookahead of SGD": wrapped(lookahead, SGD),
  "Lookahead of Adam": wrapped(lookahead, Adam),
  "SAM of SGD": wrapped(sam, SGD, { rho: 0.2 }),
  "SWA of SGD": wrapped(swa, SGD, { average_period: 1 }),
  "MovingAverage of SGD": wrapped(movingAverage, SGD, { average_decay: 0.9 }),
  "AdaptiveGradientClipping of SGD": wrapped(adaptiveGradientClipping, SGD, {
    clipping: 0.1,
  }),
};
