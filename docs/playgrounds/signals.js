// The page on signals through depth.

import {
  INITIALIZERS,
  drawMatrix,
  rootMeanSquare,
  throughDepth,
  variance,
} from "./math/initializers.js";
import { normals } from "./math/random.js";
import * as ui from "./ui.js";

const UNITS = 64;
const ROWS = 64; // examples that go through the layers
const KINDS = [
  "tanh", "relu", "linear", "sigmoid", "selu", "elu", "gelu", "silu", "leaky_relu",
];
const RANGE = [1e-12, 1e6]; // of the sizes that are drawn

ui.page("signals", (root) => {
  let seed = 1;
  let found = { signals: [], gradients: [] };
  let waiting = null;
  const soon = () => {
    clearTimeout(waiting);
    waiting = setTimeout(compute, 60);
  };
  const kind = ui.select({
    label: "Initializer", options: Object.keys(INITIALIZERS), change: soon,
  });
  const activation = ui.select({ label: "Activation", options: KINDS, change: soon });
  const depth = ui.slider({
    label: "Layers", min: 2, max: 50, step: 1, value: 20, change: soon,
  });
  const gain = ui.slider({
    label: "Factor of all weights", min: 0.5, max: 2, step: 0.05, value: 1,
    format: (x) => x.toFixed(2), change: soon,
  });
  const again = ui.button("Draw other weights", () => {
    seed += 1;
    compute();
  });
  const formula = ui.make("p", { class: "pg-formula" });
  const status = ui.status();

  function compute() {
    const distribution = INITIALIZERS[kind.value](UNITS, UNITS);
    const matrices = Array.from({ length: depth.value }, (_, layer) =>
      drawMatrix(distribution, UNITS, 1000 * seed + layer).map((row) =>
        row.map((w) => gain.value * w),
      ),
    );
    const normal = normals(seed);
    const rows = () =>
      Array.from({ length: ROWS }, () => Float64Array.from({ length: UNITS }, normal));
    found = throughDepth(rows(), matrices, activation.value, rows());
    const spread = Math.sqrt(variance(distribution, UNITS)) * gain.value;
    const drawn = describe(distribution);
    formula.textContent =
      `x = ${activation.value}(x W), W of ${UNITS} x ${UNITS} ${drawn}; ` +
      `deviation of the weights: ${ui.short(spread)}`;
    sizes.redraw();
    histograms.redraw();
    tell();
  }

  function tell() {
    const forward = rootMeanSquare(found.signals.at(-1));
    const back = rootMeanSquare(found.gradients[0]);
    status.textContent =
      `A signal of size 1 arrives behind layer ${depth.value} with the size ` +
      `${ui.short(forward)}; a gradient of size 1 returns to layer 1 with the size ` +
      `${ui.short(back)}.`;
    sizes.describe(`Size of signals and gradients by layer. ${status.textContent}`);
  }

  const sizes = ui.picture({
    label: "Size of signals and gradients by layer",
    caption: "Blue: size of the signal (root mean square). Orange: size of the gradient.",
    draw(context, width, height, colour) {
      const series = [found.signals, found.gradients].map((all) =>
        all.map((rows) => Math.min(RANGE[1], Math.max(RANGE[0], rootMeanSquare(rows)))),
      );
      const every = series.flat();
      const power = (pick, round) => 10 ** round(Math.log10(pick(...every)));
      const min = Math.min(0.01, power(Math.min, Math.floor));
      const max = Math.max(100, power(Math.max, Math.ceil));
      const x = { min: 0, max: depth.value, label: "behind layer" };
      const to = ui.axes(
        context, { width, height }, x, { min, max, log: true, label: "size" }, colour,
      );
      series.forEach((values, i) => {
        context.strokeStyle = colour.series[i];
        context.lineWidth = 3;
        context.setLineDash(i ? [7, 4] : []);
        ui.stroke(context, values.map((size, layer) => [to.x(layer), to.y(size)]));
        context.setLineDash([]);
        const last = i ? 0 : values.length - 1;
        const place = [to.x(last), to.y(values[last])];
        ui.dot(context, ...place, 5, colour.series[i], colour.ground);
      });
    },
  });
  const histograms = ui.picture({
    label: "Histograms of the signal behind some layers",
    caption:
      "How the units' values are spread, behind the input and behind later layers. All " +
      "panels have the same horizontal axis, from −3 to 3.",
    draw(context, width, height, colour) {
      const shown = 5;
      const gap = 10;
      const each = (height - 8) / shown;
      for (let i = 0; i < shown; i += 1) {
        const layer = Math.round((i * depth.value) / (shown - 1));
        const rows = found.signals[layer];
        if (!rows) return;
        const counts = new Array(41).fill(0);
        for (const row of rows) {
          for (const value of row) {
            const bin = Math.round(((value + 3) / 6) * 40);
            if (bin >= 0 && bin <= 40) counts[bin] += 1;
          }
        }
        const most = Math.max(...counts, 1);
        const bottom = 4 + (i + 1) * each;
        context.fillStyle = colour.series[0];
        const left = 86;
        const wide = (width - left - 8) / 41;
        counts.forEach((count, bin) => {
          const tall = (count / most) * (each - gap);
          context.fillRect(left + bin * wide, bottom - tall, Math.max(1, wide - 1), tall);
        });
        context.strokeStyle = colour.line;
        ui.stroke(context, [[left, bottom], [width - 8, bottom]]);
        context.fillStyle = colour.soft;
        context.textBaseline = "middle";
        context.fillText(layer ? `layer ${layer}` : "input", 8, bottom - each / 2);
      }
    },
  });

  root.append(
    ui.controls(
      kind.element, activation.element, depth.element, gain.element, ui.buttons(again),
    ),
    formula,
    ui.pictures(sizes.element, histograms.element),
    status,
  );
  compute();
});

/** What weights are drawn from, for a reader. */
function describe({ kind, limit, stddev, value }) {
  return {
    uniform: `~ U(−${ui.short(limit ?? 0)}, ${ui.short(limit ?? 0)})`,
    normal: `~ N(0, ${ui.short(stddev ?? 0)})`,
    truncated_normal: `~ N(0, ${ui.short(stddev ?? 0)}), cut off at two deviations`,
    orthogonal: "is a random rotation",
    identity: "is the identity",
    constant: `is ${value} everywhere`,
  }[kind];
}
