// The page on gradient descent: three optimizers on one surface.

import { OPTIMIZERS } from "./math/optimizers.js";
import { SURFACES, bestRate, descend, stepsToLow } from "./math/surfaces.js";
import * as ui from "./ui.js";

const REACH = 4; // the picture shows x and y from -4 to 4
const STEPS = 300;
const CHOSEN = ["SGD", "SGD with momentum", "Adam"];
const NOBODY = "none";

ui.page("gradient-descent", (root) => {
  let surface = Object.values(SURFACES)[0];
  let start = surface.start;
  let shown = STEPS;

  const surfaceMenu = ui.select({
    label: "Surface",
    options: Object.keys(SURFACES),
    change: (name) => {
      surface = SURFACES[name];
      start = surface.start;
      racers.forEach((racer) => racer.tune());
      restart();
    },
  });
  const formula = ui.make("p", { class: "pg-formula" });
  const racers = CHOSEN.map((name, i) => racer(name, i));
  const stepSlider = ui.slider({
    label: "Steps shown",
    min: 0,
    max: STEPS,
    step: 1,
    value: STEPS,
    change: (value) => {
      motion.stop();
      shown = value;
      draw();
    },
  });
  const play = ui.button("Race", () => (motion.isRunning ? motion.stop() : race()), true);
  const motion = ui.animation(
    () => {
      shown = Math.min(STEPS, shown + 1);
      stepSlider.set(shown);
      draw();
      if (shown === STEPS) motion.stop();
    },
    (isRunning) => {
      play.textContent = isRunning ? "Pause" : "Race";
      if (!isRunning) tell();
    },
  );
  const best = ui.button("Best learning rates", () => {
    racers.forEach((each) => each.tune());
    restart();
  });
  const status = ui.status();

  function racer(name, i) {
    const menu = ui.select({
      label: `Optimizer ${i + 1}`,
      options: [...Object.keys(OPTIMIZERS), NOBODY],
      value: name,
      colour: i + 1,
      change: () => {
        tune();
        restart();
      },
    });
    const rate = ui.slider({
      label: "Learning rate",
      min: 1e-4,
      max: 10,
      log: true,
      step: 0.005,
      value: 0.1,
      format: ui.short,
      change: restart,
    });
    function tune() {
      if (menu.value === NOBODY) return;
      rate.set(bestRate(OPTIMIZERS[menu.value], surface, start, STEPS).rate);
    }
    const result = { menu, rate, tune, path: [], answer: null, element: null };
    result.element = ui.row(menu.element, rate.element);
    return result;
  }

  function walk(racer) {
    if (racer.menu.value === NOBODY) {
      racer.path = [];
      racer.answer = null;
      return;
    }
    const optimizer = OPTIMIZERS[racer.menu.value];
    let learning_rate = racer.rate.value;
    if (optimizer.defaults.lambda_) learning_rate = Math.min(learning_rate, 1);
    const step = optimizer.create({ learning_rate });
    racer.path = descend(step, surface, start, STEPS);
    racer.answer = step.answer?.() ?? null;
  }

  function restart() {
    racers.forEach(walk);
    formula.textContent = `height = ${surface.formula}`;
    motion.stop();
    draw();
    tell();
  }

  function race() {
    if (shown === STEPS) shown = 0;
    motion.start();
  }

  function tell() {
    const parts = racers
      .filter((each) => each.path.length)
      .map(({ menu, path }) => {
        if (path.length <= STEPS) return `${menu.value} leaves the picture for good`;
        const count = stepsToLow(path, surface);
        if (count !== null) return `${menu.value} is down after ${count} steps`;
        const end = ui.short(surface.height(path.at(-1)));
        return `${menu.value} stands at the height ${end} after ${STEPS} steps`;
      });
    status.textContent = parts.length ? `${parts.join("; ")}.` : "";
    map.describe(`Paths over the surface ${surface.formula}. ${status.textContent}`);
  }

  function draw() {
    map.redraw();
    heights.redraw();
  }

  let ground = { key: "" };
  const map = ui.picture({
    label: "Paths of the optimizers over the surface",
    caption:
      "The bluer, the lower. Circles: where each optimizer stands; crosses: minima; hollow: the " +
      "averaged weights. Click, or focus the picture and press the arrow keys, to move " +
      "the start.",
    ratio: 1,
    draw(context, width, height, colour) {
      const toX = (x) => ((x + REACH) / (2 * REACH)) * width;
      const toY = (y) => height - ((y + REACH) / (2 * REACH)) * height;
      const key = [surface.formula, width, colour.low].join();
      if (ground.key !== key) ground = { key, image: groundOf(surface, width, colour) };
      context.drawImage(ground.image, 0, 0, width, height);
      context.lineWidth = 2;
      for (const [x, y] of surface.minima) {
        context.strokeStyle = colour.ink;
        const [a, b] = [toX(x), toY(y)];
        ui.stroke(context, [[a - 6, b - 6], [a + 6, b + 6]]);
        ui.stroke(context, [[a - 6, b + 6], [a + 6, b - 6]]);
      }
      racers.forEach(({ path, answer }, i) => {
        if (!path.length) return;
        const seen = path.slice(0, shown + 1);
        context.strokeStyle = colour.series[i];
        context.globalAlpha = 0.85;
        ui.stroke(context, seen.map(([x, y]) => [toX(x), toY(y)]));
        context.globalAlpha = 1;
        const [x, y] = seen.at(-1);
        ui.dot(context, toX(x), toY(y), 6, colour.series[i], colour.ground);
        if (answer && shown >= path.length - 1) {
          const [u, v] = answer;
          ui.dot(context, toX(u), toY(v), 7, "transparent", colour.series[i]);
        }
      });
      ui.dot(context, toX(start[0]), toY(start[1]), 5, colour.ink, colour.ground);
    },
  });
  const heights = ui.picture({
    label: "Height of each optimizer by step",
    caption: "Height by step, on a logarithmic axis. Below 0.01 an optimizer is down.",
    ratio: (width) => (width > 420 ? 0.8 : 0.9),
    draw(context, width, height, colour) {
      const x = { min: 0, max: STEPS, label: "step" };
      const y = { min: 1e-6, max: 1e3, log: true, label: "height" };
      const to = ui.axes(context, { width, height }, x, y, colour);
      context.lineWidth = 2;
      ui.clipped(context, to.box, () => {
        racers.forEach(({ path }, i) => {
          context.strokeStyle = colour.series[i];
          const seen = path.slice(0, shown + 1);
          const points = seen.map((w, t) => [
            to.x(t),
            to.y(Math.max(surface.height(w), 1e-9)),
          ]);
          ui.stroke(context, points);
        });
        context.strokeStyle = colour.soft;
        context.setLineDash([5, 5]);
        ui.stroke(context, [[to.x(0), to.y(0.01)], [to.x(STEPS), to.y(0.01)]]);
      });
    },
  });

  map.canvas.tabIndex = 0;
  map.canvas.setAttribute("role", "application");
  map.canvas.setAttribute("aria-roledescription", "map with a start to move");
  map.canvas.addEventListener("click", (event) => {
    const share = (value, size) => (value / size) * 2 * REACH - REACH;
    const { clientWidth, clientHeight } = map.canvas;
    start = [
      share(event.offsetX, clientWidth),
      -share(event.offsetY, clientHeight),
    ];
    restart();
  });
  map.canvas.addEventListener("keydown", (event) => {
    const way = {
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowUp: [0, 1],
      ArrowDown: [0, -1],
    }[event.key];
    if (!way) return;
    event.preventDefault();
    start = start.map((x, i) => {
      const moved = Math.round((x + 0.1 * way[i]) * 10) / 10;
      return way[i] ? Math.min(REACH, Math.max(-REACH, moved)) : x;
    });
    restart();
  });

  root.append(
    ui.controls(
      surfaceMenu.element,
      ...racers.map((each) => each.element),
      stepSlider.element,
      ui.buttons(play, best),
    ),
    formula,
    ui.pictures(map.element, heights.element),
    status,
  );
  racers.forEach((each) => each.tune());
  restart();
});

/** The ground of the map, in bands of equal height: a canvas. */
function groundOf(surface, width, { low, high, line }) {
  const size = Math.round(width * Math.min(2, window.devicePixelRatio || 1));
  const canvas = ui.make("canvas", { width: size, height: size });
  const context = canvas.getContext("2d");
  const image = context.createImageData(size, size);
  const band = new Int16Array(size * size);
  for (let row = 0; row < size; row += 1) {
    for (let column = 0; column < size; column += 1) {
      const x = ((column + 0.5) / size) * 2 * REACH - REACH;
      const y = REACH - ((row + 0.5) / size) * 2 * REACH;
      const h = Math.max(surface.height([x, y]), 1e-2);
      const level = (Math.log10(h) + 2) / 5; // 0.01 to 1000
      const place = row * size + column;
      band[place] = Math.floor(level * 15);
      const share = Math.min(1, Math.max(0, (band[place] + 0.5) / 15));
      for (let i = 0; i < 3; i += 1) {
        image.data[4 * place + i] = low[i] + (high[i] - low[i]) * share;
      }
      image.data[4 * place + 3] = 255;
    }
  }
  context.putImageData(image, 0, 0);
  context.fillStyle = line;
  for (let row = 1; row < size; row += 1) {
    for (let column = 1; column < size; column += 1) {
      const place = row * size + column;
      if (band[place] !== band[place - 1] || band[place] !== band[place - size]) {
        context.fillRect(column, row, 1, 1);
      }
    }
  }
  return canvas;
}
