// The page on XOR: a network that trains, with a picture for each hidden unit.

import { ACTIVATIONS } from "./math/activations.js";
import { X, Y, forward, lossAndGradient, startWeights, step } from "./math/xor.js";
import * as ui from "./ui.js";

const LOW = -0.5;
const HIGH = 1.5; // the pictures show both inputs from -0.5 to 1.5
const STEPS_OF_FRAME = 5;
const LAST = 20000;

ui.page("xor", (root) => {
  let seed = 1;
  let weights = null;
  let steps = 0;
  let losses = [];
  const hidden = ui.slider({
    label: "Hidden units", min: 1, max: 6, step: 1, value: 4, change: () => restart(),
  });
  const kind = ui.select({
    label: "Activation of the hidden units",
    options: ["sigmoid", "tanh", "relu", "leaky_relu", "gelu"],
    change: () => restart(),
  });
  const rate = ui.slider({
    label: "Learning rate", min: 0.05, max: 20, log: true, step: 0.02, value: 4,
    format: ui.short,
  });
  const run = ui.button("Train", () => motion.toggle(), true);
  const once = ui.button("One step", () => {
    learn(1);
    show();
    tell();
  });
  const other = ui.button("Other start weights", () => {
    seed += 1;
    restart();
  });
  const motion = ui.animation(
    () => {
      learn(STEPS_OF_FRAME);
      show();
      if (steps >= LAST || losses.at(-1)?.[1] < 1e-3) motion.stop();
    },
    (isRunning) => {
      run.textContent = isRunning ? "Pause" : "Train";
      if (isRunning) status.textContent = "The network trains ...";
      else tell();
    },
  );
  const status = ui.status();
  const units = ui.make("div", { class: "pg-pictures" });
  let drawn = [];

  function restart() {
    motion.stop();
    weights = startWeights(hidden.value, seed);
    steps = 0;
    losses = [[0, lossAndGradient(weights, kind.value).loss]];
    drawn = weights.b1.map((_, j) => unitPicture(j));
    units.replaceChildren(...drawn.map((each) => each.element));
    show();
    tell();
  }

  function learn(count) {
    for (let i = 0; i < count; i += 1) weights = step(weights, kind.value, rate.value);
    steps += count;
    losses.push([steps, lossAndGradient(weights, kind.value).loss]);
  }

  function show() {
    answer.redraw();
    history.redraw();
    drawn.forEach((each, j) => {
      each.redraw();
      each.caption(`unit ${j + 1}, weight ${ui.short(weights.W2[j])}`);
    });
  }

  function tell() {
    const answers = X.map((x) => forward(weights, x, kind.value).o);
    const right = answers.filter((o, i) => o > 0.5 === Y[i] > 0.5).length;
    const written = X.map((x, i) => `${x.join(" XOR ")} = ${answers[i].toFixed(2)}`);
    status.textContent =
      `After ${steps} steps ${right} of the 4 answers are right: ${written.join(", ")}. ` +
      `The loss is ${ui.short(losses.at(-1)[1])}.`;
    answer.describe(`The network's answer over the square of inputs. ${status.textContent}`);
  }

  const answer = ui.picture({
    label: "The network's answer over the square of inputs",
    caption:
      "The answer of the network: purple is 1, orange is 0. The four points are the " +
      "examples; the lines are where each hidden unit changes sides.",
    ratio: 1,
    draw(context, width, height, colour) {
      const value = (x) => forward(weights, x, kind.value).o;
      paint(context, width, height, value, colour);
      context.strokeStyle = colour.ink;
      context.lineWidth = 1.5;
      context.globalAlpha = 0.7;
      weights.b1.forEach((_, j) => ui.stroke(context, border(weights, j, width)));
      context.globalAlpha = 1;
      X.forEach(([a, b], i) => {
        const place = [toPixel(a, width), height - toPixel(b, height)];
        ui.dot(context, ...place, 11, colour.ground, colour.ink);
        context.fillStyle = colour.ink;
        context.textAlign = "center";
        context.textBaseline = "middle";
        context.fillText(Y[i], ...place);
      });
    },
  });
  const history = ui.picture({
    label: "The loss by step",
    caption: "The loss, which is the mean squared error, on logarithmic axes.",
    ratio: 1,
    draw(context, width, height, colour) {
      const x = { min: 1, max: Math.max(1000, steps), log: true, label: "step" };
      const y = { min: 1e-4, max: 1, log: true, label: "loss" };
      const to = ui.axes(context, { width, height }, x, y, colour);
      context.strokeStyle = colour.series[0];
      context.lineWidth = 2.5;
      const points = losses.map(([t, loss]) => [to.x(Math.max(1, t)), to.y(loss)]);
      ui.clipped(context, to.box, () => ui.stroke(context, points));
    },
  });

  function unitPicture(j) {
    return ui.picture({
      label: `Hidden unit ${j + 1} over the square of inputs`,
      caption: `unit ${j + 1}`,
      ratio: 1,
      size: "pg-small",
      draw(context, width, height, colour) {
        const { f } = ACTIVATIONS[kind.value];
        const { W1, b1 } = weights;
        const sum = ([a, b]) => a * W1[0][j] + b * W1[1][j] + b1[j];
        // sigmoid lies between 0 and 1, tanh between -1 and 1, the others around 0.
        const share = kind.value === "sigmoid" ? (y) => y : (y) => 0.5 + y / 2;
        paint(context, width, height, (x) => clamp(share(f(sum(x)))), colour);
      },
    });
  }

  root.append(
    ui.controls(
      hidden.element, kind.element, rate.element, ui.buttons(run, once, other),
    ),
    ui.pictures(answer.element, history.element),
    ui.make("h2", {}, "The hidden units"),
    units,
    status,
  );
  restart();
});

const clamp = (share) => Math.min(1, Math.max(0, share));
const toPixel = (x, size) => ((x - LOW) / (HIGH - LOW)) * size;

/** Colours a picture by a value from 0 to 1 over the square of inputs. */
function paint(context, width, height, value, colour) {
  const side = width > 200 ? 72 : 36;
  const canvas = ui.make("canvas", { width: side, height: side });
  const small = canvas.getContext("2d");
  const image = small.createImageData(side, side);
  for (let row = 0; row < side; row += 1) {
    for (let column = 0; column < side; column += 1) {
      const a = LOW + ((column + 0.5) / side) * (HIGH - LOW);
      const b = HIGH - ((row + 0.5) / side) * (HIGH - LOW);
      const place = 4 * (row * side + column);
      image.data.set([...ui.between(value([a, b]), colour), 255], place);
    }
  }
  small.putImageData(image, 0, 0);
  context.imageSmoothingEnabled = true;
  context.drawImage(canvas, 0, 0, width, height);
}

/** The line on which a hidden unit's weighted sum is 0, as two points in pixels. */
function border({ W1, b1 }, j, size) {
  const [u, v, c] = [W1[0][j], W1[1][j], b1[j]];
  const at = (a, b) => [toPixel(a, size), size - toPixel(b, size)];
  if (Math.abs(v) > Math.abs(u)) {
    return [LOW, HIGH].map((a) => at(a, (-c - u * a) / v));
  }
  return [LOW, HIGH].map((b) => at((-c - v * b) / u, b));
}
