// The page on a neuron: a curve to fit by hand or by gradient descent.

import { lossAndGradient, output, step } from "./math/neuron.js";
import * as ui from "./ui.js";

const KINDS = ["sigmoid", "tanh", "relu", "linear", "softplus", "gelu"];
const DATA = {
  "Small is no, large is yes": [
    [-3, 0], [-2.2, 0], [-1.4, 0], [-0.4, 0], [0.6, 1], [1.2, 0], [1.9, 1], [2.7, 1],
    [3.5, 1],
  ],
  "Large is no, small is yes": [
    [-3.4, 1], [-2.6, 1], [-1.8, 1], [-1, 1], [0, 0], [0.9, 0], [2, 0], [3.2, 0],
  ],
  "A rising line": [
    [-3, -0.9], [-2, -0.4], [-1, -0.2], [0, 0.4], [1, 0.6], [2, 1.1], [3, 1.3],
  ],
};
const REACH = 4;

ui.page("neuron", (root) => {
  let neuron = { w: 0.5, b: -1 };
  let steps = 0;
  const losses = [];
  const refresh = () => {
    steps = 0;
    losses.length = 0;
    show();
  };
  const byHand = (name) => (value) => {
    motion.stop();
    neuron = { ...neuron, [name]: value };
    refresh();
  };
  const ofWeight = { min: -10, max: 10, step: 0.1, format: (x) => ui.fixed(x, 1) };
  const weight = ui.slider({
    ...ofWeight, label: "Weight w", value: neuron.w, change: byHand("w"),
  });
  const bias = ui.slider({
    ...ofWeight, min: -24, max: 24, label: "Bias b", value: neuron.b, change: byHand("b"),
  });
  const kind = ui.select({ label: "Activation f", options: KINDS, change: refresh });
  const data = ui.select({
    label: "Points to fit", options: Object.keys(DATA), change: refresh,
  });
  const rate = ui.slider({
    label: "Learning rate", min: 0.01, max: 10, log: true, step: 0.02, value: 0.5,
    format: ui.short,
  });
  const once = ui.button("One step", () => {
    learn(1);
    show();
  });
  const run = ui.button("Learn", () => motion.toggle(), true);
  const motion = ui.animation(
    () => {
      learn(2);
      show();
      if (steps >= 2000) motion.stop();
    },
    (isRunning) => {
      run.textContent = isRunning ? "Pause" : "Learn";
      if (isRunning) status.textContent = "The neuron learns ...";
      else tell();
    },
  );
  const formula = ui.make("p", { class: "pg-formula" });
  const status = ui.status();

  function learn(count) {
    for (let i = 0; i < count; i += 1) {
      const next = step(neuron, DATA[data.value], kind.value, rate.value);
      if (!(Math.abs(next.w) < 1e3 && Math.abs(next.b) < 1e3)) {
        motion.stop();
        return;
      }
      neuron = next;
      steps += 1;
      losses.push(lossAndGradient(neuron, DATA[data.value], kind.value).loss);
    }
    weight.set(neuron.w);
    bias.set(neuron.b);
  }

  function show() {
    const { loss, dw, db } = lossAndGradient(neuron, DATA[data.value], kind.value);
    const sign = neuron.b < 0 ? "−" : "+";
    formula.textContent =
      `y = ${kind.value}(${ui.short(neuron.w)} x ${sign} ${ui.short(Math.abs(neuron.b))})   ` +
      `loss = ${ui.short(loss)}   d loss / d w = ${ui.short(dw)}   ` +
      `d loss / d b = ${ui.short(db)}`;
    curve.redraw();
    history.redraw();
    if (!motion.isRunning) tell();
  }

  function tell() {
    const { loss } = lossAndGradient(neuron, DATA[data.value], kind.value);
    const half = -neuron.b / neuron.w;
    const middle =
      kind.value === "sigmoid" && neuron.w !== 0
        ? ` It answers one half at x = ${ui.short(half)}.`
        : "";
    const learned = steps ? `After ${steps} steps the` : "The";
    status.textContent = `${learned} loss is ${ui.short(loss)}.${middle}`;
    curve.describe(`The neuron's curve and the points. ${status.textContent}`);
  }

  const curve = ui.picture({
    label: "The neuron's curve and the points",
    caption: "The curve is the neuron's output; the vertical lines are its errors.",
    draw(context, width, height, colour) {
      const x = { min: -REACH, max: REACH, label: "x" };
      const y = { min: -1.5, max: 2, label: "y" };
      const to = ui.axes(context, { width, height }, x, y, colour);
      ui.clipped(context, to.box, () => {
        context.lineWidth = 2;
        context.strokeStyle = colour.series[1];
        for (const [px, target] of DATA[data.value]) {
          const py = output(neuron, px, kind.value);
          ui.stroke(context, [[to.x(px), to.y(target)], [to.x(px), to.y(py)]]);
        }
        context.strokeStyle = colour.series[0];
        context.lineWidth = 3;
        const points = [];
        for (let px = -REACH; px <= REACH; px += 0.02) {
          points.push([to.x(px), to.y(output(neuron, px, kind.value))]);
        }
        ui.stroke(context, points);
        for (const [px, target] of DATA[data.value]) {
          ui.dot(context, to.x(px), to.y(target), 6, colour.series[1], colour.ground);
        }
      });
    },
  });
  const history = ui.picture({
    label: "The loss by step",
    caption: "The loss, which is the mean squared error, by step of gradient descent.",
    draw(context, width, height, colour) {
      const x = { min: 0, max: Math.max(100, losses.length), label: "step" };
      const most = Math.max(0.5, ...losses.slice(0, 1));
      const y = { min: 0, max: most, label: "loss" };
      const to = ui.axes(context, { width, height }, x, y, colour);
      context.strokeStyle = colour.series[0];
      context.lineWidth = 2;
      ui.clipped(context, to.box, () => {
        ui.stroke(context, losses.map((loss, i) => [to.x(i + 1), to.y(loss)]));
      });
    },
  });

  root.append(
    ui.controls(
      weight.element, bias.element, kind.element, data.element, rate.element,
      ui.buttons(run, once),
    ),
    formula,
    ui.pictures(curve.element, history.element),
    status,
  );
  show();
});
