// The page on which a generator makes digits out of noise.

import { drawPixels, offerModel, outputs, publish } from "./live.js";
import { normals } from "./math/random.js";
import * as ui from "./ui.js";

const DIRECTIONS = 4;

ui.page("generate-digits-model", (root) =>
  offerModel(root, "generate_digits", "mnist_cgan", (model) => mount(root, model)),
);

function mount(root, model) {
  const { settings, examples, sessions, ort } = model;
  const { latent, classes } = settings;
  const [height, width] = settings.shape;
  const [low, high] = settings.pixels;
  let seed = 8;
  let images = [];
  let chosen = 3;
  let isBusy = false;
  let isStale = false;

  /** Pixels from 0 to 255 for rows of noise and labels, one array for each. */
  async function generate(noise, labels) {
    const flat = Float32Array.from(noise.flatMap((row) => [...row]));
    const inputs = { noise: new ort.Tensor("float32", flat, [noise.length, latent]) };
    if (classes.length) {
      inputs.label = new ort.Tensor("int32", Int32Array.from(labels), [labels.length]);
    }
    const [found] = await outputs(sessions["model.onnx"], inputs);
    const size = height * width;
    const pixels = Uint8ClampedArray.from(found.data, (value) =>
      Math.round(((value - low) * 255) / (high - low)),
    );
    return noise.map((_, i) => pixels.slice(i * size, (i + 1) * size));
  }

  function draw(number) {
    const normal = normals(number);
    return Float64Array.from({ length: latent }, normal);
  }

  /** The noise of the sliders: between two draws, moved along the directions. */
  function noise() {
    const [from, to] = [draw(2 * seed), draw(2 * seed + 1)];
    const angle = (walk.value * Math.PI) / 2; // keeps the length on the way
    const moved = from.map((x, i) => Math.cos(angle) * x + Math.sin(angle) * to[i]);
    sliders.forEach((slider, k) => {
      const way = draw(1000 + k);
      const length = Math.hypot(...way);
      way.forEach((x, i) => {
        moved[i] += (slider.value * x) / length;
      });
    });
    return moved.map((x) => x * strength.value);
  }

  async function renew() {
    if (isBusy) {
      isStale = true;
      return;
    }
    isBusy = true;
    const begun = performance.now();
    const same = noise();
    const labels = classes.map((_, i) => i);
    images = await generate(labels.map(() => same), labels);
    const milliseconds = performance.now() - begun;
    status.textContent = `Ten images in ${milliseconds.toFixed(0)} ms.`;
    isBusy = false;
    large.redraw();
    all.redraw();
    if (isStale) {
      isStale = false;
      renew();
    }
  }

  const label = ui.select({
    label: "Digit", options: classes, value: classes[chosen],
    change: (name) => {
      chosen = classes.indexOf(name);
      large.redraw();
    },
  });
  const strength = ui.slider({
    label: "Size of the noise", min: 0, max: 2, step: 0.05, value: 1,
    format: (x) => x.toFixed(2), change: renew,
  });
  const walk = ui.slider({
    label: "From one noise to another", min: 0, max: 1, step: 0.02, value: 0,
    format: (x) => x.toFixed(2), change: renew,
  });
  const sliders = Array.from({ length: DIRECTIONS }, (_, k) =>
    ui.slider({
      label: `Direction ${k + 1}`, min: -12, max: 12, step: 0.25, value: 0,
      format: (x) => ui.fixed(x, 1), change: renew,
    }),
  );
  const fresh = ui.button(
    "New noise",
    () => {
      seed += 1;
      renew();
    },
    true,
  );
  const home = ui.button("All directions to 0", () => {
    sliders.forEach((slider) => slider.set(0));
    renew();
  });
  const ink = (value) => [255 - value, 255 - value, 255 - value];
  const large = ui.picture({
    label: "The chosen digit",
    caption: "The chosen digit.",
    ratio: 1,
    draw(context, size) {
      if (images[chosen]) drawPixels(context, images[chosen], [height, width], size, ink);
    },
  });
  const columns = 5;
  const rows = Math.ceil(classes.length / columns);
  const all = ui.picture({
    label: "All digits from the same noise",
    caption: "All digits from the same noise.",
    ratio: rows / columns,
    draw(context, size) {
      const each = size / columns;
      images.forEach((image, i) => {
        context.save();
        context.translate((i % columns) * each, Math.floor(i / columns) * each);
        drawPixels(context, image, [height, width], each, ink);
        context.restore();
      });
    },
  });
  const status = ui.status();

  root.append(
    ui.controls(
      label.element, strength.element, walk.element,
      ...sliders.map((slider) => slider.element), ui.buttons(fresh, home),
    ),
    ui.pictures(large.element, all.element),
    status,
  );
  publish("generate_digits", { generate, examples });
  renew();
}
