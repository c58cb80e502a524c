// The page on which a convolutional network reads what is drawn.

import { drawPixels, offerModel, outputs, publish, shareBars } from "./live.js";
import { placed } from "./math/digits.js";
import { softmax } from "./math/texts.js";
import * as ui from "./ui.js";

const SIDE = 280; // pixels of the field to draw on
const BRUSH = 22;

ui.page("draw-a-digit-model", (root) =>
  offerModel(root, "draw_a_digit", "mnist_cnn", (model) => mount(root, model)),
);

function mount(root, model) {
  const { settings, examples, sessions, ort } = model;
  const [height, width] = settings.shape;
  const [low, high] = settings.pixels;
  const session = sessions["model.onnx"];
  let answer = null;
  let chosen = 0;

  /** {probabilities, heat} for height x width pixels from 0 to 255. */
  async function classify(pixels) {
    const x = Float32Array.from(pixels, (value) => low + (value * (high - low)) / 255);
    const tensor = new ort.Tensor("float32", x, [1, ...settings.shape]);
    const [logits, heat] = await outputs(session, { pixels: tensor });
    const probabilities = softmax(logits.data);
    if (!heat) return { probabilities };
    const [, rows, columns] = heat.dims;
    return { probabilities, heat: heat.data, rows, columns };
  }

  async function ask(pixels, name) {
    const begun = performance.now();
    const found = await classify(pixels);
    const milliseconds = performance.now() - begun;
    answer = { ...found, pixels };
    chosen = found.probabilities.indexOf(Math.max(...found.probabilities));
    const share = (100 * found.probabilities[chosen]).toFixed(1);
    status.textContent =
      `${name}: the network says ${settings.classes[chosen]}, with a probability of ` +
      `${share} %. It took ${milliseconds.toFixed(0)} ms.`;
    show();
  }

  function show() {
    bars.show(answer ? answer.probabilities : settings.classes.map(() => 0), chosen);
    seen.redraw();
    seen.caption(
      answer?.heat
        ? `What the network sees; coloured: what speaks for ${settings.classes[chosen]}.`
        : "What the network sees.",
    );
  }

  const field = drawingField((ink) => {
    const pixels = placed(ink, height, width);
    if (pixels) ask(pixels.flatMap((row) => [...row]), "Your drawing");
  });
  const hint = "Classes: select one to see what speaks for it";
  const bars = shareBars(hint, settings.classes, (i) => {
    chosen = i;
    show();
  });
  const status = ui.status();
  const seen = ui.picture({
    label: "What the network sees, and what speaks for the selected class",
    caption: "What the network sees.",
    ratio: 1,
    draw(context, size) {
      const pixels = answer ? answer.pixels : new Array(height * width).fill(0);
      const heat = heatOf(answer, chosen, height, width);
      drawPixels(context, pixels, [height, width], size, (value, i) => {
        const grey = 20 + value * 0.9;
        const warm = heat ? heat[i] : 0;
        return [grey + 150 * warm, grey + 60 * warm, grey - 60 * warm];
      });
    },
  });
  const clear = ui.button("Clear", () => {
    field.clear();
    answer = null;
    status.textContent = "Draw a digit with the mouse, a finger or a pen.";
    show();
  });
  const samples = ui.buttons(
    ...examples.map((example, i) =>
      ui.button(String(i + 1), () => {
        field.clear();
        ask(example.pixels, `Test image ${i + 1}, which shows ${example.label}`);
      }),
    ),
  );

  root.append(
    ui.pictures(field.element, seen.element, bars.element),
    ui.controls(
      ui.buttons(clear),
      ui.make("span", { class: "pg-name" }, "or take a test image:"),
      samples,
    ),
    status,
  );
  clear.click();
  publish("draw_a_digit", { classify, examples });
  classify(examples[0].pixels); // the first answer takes longer than all others
}

/** The Grad-CAM of a class, resized to the image, from 0 to 1. */
function heatOf(answer, chosen, height, width) {
  if (!answer?.heat) return null;
  const { rows, columns } = answer;
  const maps = answer.heat.slice(chosen * rows * columns, (chosen + 1) * rows * columns);
  const hottest = Math.max(...maps, 1e-12);
  const at = (i, j) => maps[clamp(i, rows) * columns + clamp(j, columns)] / hottest;
  const result = new Float32Array(height * width);
  for (let i = 0; i < height; i += 1) {
    for (let j = 0; j < width; j += 1) {
      const y = ((i + 0.5) / height) * rows - 0.5;
      const x = ((j + 0.5) / width) * columns - 0.5;
      const [top, left] = [Math.floor(y), Math.floor(x)];
      const [v, u] = [y - top, x - left];
      const above = (1 - u) * at(top, left) + u * at(top, left + 1);
      const below = (1 - u) * at(top + 1, left) + u * at(top + 1, left + 1);
      result[i * width + j] = (1 - v) * above + v * below;
    }
  }
  return result;
}

const clamp = (i, count) => Math.min(count - 1, Math.max(0, i));

/** A field to draw on: { element, clear }. drawn(ink) follows each stroke. */
function drawingField(drawn) {
  const canvas = ui.make("canvas", {
    class: "pg-draw",
    width: SIDE,
    height: SIDE,
    tabindex: 0,
    role: "application",
    "aria-label":
      "Field to draw on. With the keyboard: arrow keys move the pen, the space bar " +
      "lowers or lifts it.",
  });
  canvas.style.aspectRatio = "1";
  canvas.style.background = "#0b0e14";
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.lineCap = "round";
  context.lineJoin = "round";
  context.lineWidth = BRUSH;
  context.strokeStyle = "#ffffff";
  let last = null;
  let pen = { at: [SIDE / 2, SIDE / 2], isDown: false };

  const place = (event) => [
    (event.offsetX / canvas.clientWidth) * SIDE,
    (event.offsetY / canvas.clientHeight) * SIDE,
  ];
  const line = (from, to) => {
    context.beginPath();
    context.moveTo(...from);
    context.lineTo(to[0] + 0.01, to[1]);
    context.stroke();
  };
  const tell = () => {
    const { data } = context.getImageData(0, 0, SIDE, SIDE);
    drawn(
      Array.from({ length: SIDE }, (_, i) =>
        Uint8Array.from({ length: SIDE }, (__, j) => data[4 * (i * SIDE + j) + 3]),
      ),
    );
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    last = place(event);
    line(last, last);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!last) return;
    const next = place(event);
    line(last, next);
    last = next;
  });
  const lift = () => {
    if (last) tell();
    last = null;
  };
  canvas.addEventListener("pointerup", lift);
  canvas.addEventListener("pointercancel", lift);
  canvas.addEventListener("keydown", (event) => {
    const ways = {
      ArrowLeft: [-10, 0], ArrowRight: [10, 0], ArrowUp: [0, -10], ArrowDown: [0, 10],
    };
    const way = ways[event.key];
    if (!way && event.key !== " ") return;
    event.preventDefault();
    if (!way) pen.isDown = !pen.isDown;
    const next = pen.at.map((x, i) => Math.min(SIDE, Math.max(0, x + (way?.[i] ?? 0))));
    if (pen.isDown) line(pen.at, next);
    pen.at = next;
    if (pen.isDown) tell();
  });
  const note = ui.make("figcaption", {}, "Draw here, or press the space bar and arrows.");
  return {
    element: ui.make("figure", { class: "pg-picture" }, canvas, note),
    clear() {
      context.clearRect(0, 0, SIDE, SIDE);
      pen = { at: [SIDE / 2, SIDE / 2], isDown: false };
    },
  };
}
