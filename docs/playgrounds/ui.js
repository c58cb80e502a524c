// What the playgrounds share: controls with labels, and pictures that follow the theme.

/** Runs mount(root) once for the element with this id, on this page and on each later
 * one that the site shows without loading anew.
 */
export function page(id, mount) {
  addStyle();
  const go = () => {
    const root = document.getElementById(id);
    if (!root || root.dataset.ready) return;
    root.dataset.ready = "yes";
    root.replaceChildren();
    mount(root);
  };
  go();
  window.document$?.subscribe(go);
}

function addStyle() {
  const href = new URL("playgrounds.css", import.meta.url).href;
  if (document.querySelector(`link[href="${href}"]`)) return;
  document.head.append(make("link", { rel: "stylesheet", href }));
}

/** An element: attributes by name, `on...` are listeners, then its children. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

let count = 0;
const newId = () => `pg-${(count += 1)}`;

export const controls = (...children) => make("div", { class: "pg-controls" }, ...children);
export const row = (...children) => make("div", { class: "pg-row" }, ...children);
export const pictures = (...children) => make("div", { class: "pg-pictures" }, ...children);
export const buttons = (...children) => make("div", { class: "pg-buttons" }, ...children);

/** A line that screen readers announce when it changes. */
export const status = () => make("p", { class: "pg-status", role: "status" });

/** A slider: { element, value, set(value) }. With `log` it moves by factors. */
export function slider({ label, min, max, step, value, log, format, change }) {
  const id = newId();
  const shown = format ?? ((x) => String(x));
  const forward = log ? Math.log10 : (x) => x;
  const back = log ? (x) => 10 ** x : (x) => x;
  const output = make("output", { for: id });
  const input = make("input", {
    id,
    type: "range",
    min: forward(min),
    max: forward(max),
    step: step ?? 0.01,
    oninput: () => {
      update();
      change?.(result.value);
    },
  });
  function update() {
    result.value = back(Number(input.value));
    output.textContent = shown(result.value);
    input.setAttribute("aria-valuetext", output.textContent);
  }
  const result = {
    element: make(
      "div",
      { class: "pg-control" },
      make("label", { for: id }, make("span", {}, label), output),
      input,
    ),
    set(x) {
      input.value = forward(x);
      update();
    },
  };
  result.set(value);
  return result;
}

/** A menu: { element, value, set(value) }. */
export function select({ label, options, value, change, colour }) {
  const id = newId();
  const input = make(
    "select",
    { id, onchange: () => change?.(input.value) },
    ...options.map((name) => make("option", { value: name }, name)),
  );
  input.value = value ?? options[0];
  const name = make("label", { for: id, class: colour ? "pg-swatched" : "" });
  if (colour) {
    const style = `background: var(--pg-${colour})`;
    name.append(make("span", { class: "pg-swatch", style, "aria-hidden": "true" }));
  }
  name.append(label);
  return {
    element: make("div", { class: "pg-control" }, name, input),
    get value() {
      return input.value;
    },
    set(x) {
      input.value = x;
    },
  };
}

/** A box to tick: { element, value }. */
export function checkbox({ label, value = false, change }) {
  const input = make("input", {
    type: "checkbox",
    onchange: () => change?.(input.checked),
  });
  input.checked = value;
  return {
    element: make("label", { class: "pg-check" }, input, label),
    get value() {
      return input.checked;
    },
  };
}

export function button(label, click, isMain = false) {
  const look = { type: "button", class: isMain ? "pg-main" : "", onclick: click };
  return make("button", look, label);
}

/** The colours of the theme that is shown, as CSS writes them. */
export function colours(element) {
  const style = getComputedStyle(element);
  const read = (name) => style.getPropertyValue(`--pg-${name}`).trim();
  const triple = (name) => read(name).split(",").map(Number);
  return {
    ink: read("ink"),
    soft: read("soft"),
    line: read("line"),
    ground: read("ground"),
    accent: read("accent"),
    series: [1, 2, 3, 4, 5].map((i) => read(i)),
    yes: triple("yes"),
    no: triple("no"),
    middle: triple("middle"),
    low: triple("low"),
    high: triple("high"),
  };
}

/** A picture: { element, canvas, redraw, describe(text) }.
 *
 * draw(context, width, height, colours) draws it in CSS pixels; `ratio` is its height
 * as a share of its width. It is drawn anew when its size or the theme changes.
 */
export function picture({ label, caption, ratio = 0.7, size = "", draw }) {
  const canvas = make("canvas", { role: "img", "aria-label": label });
  const note = make("figcaption", {}, caption ?? "");
  const look = { class: `pg-picture ${size}` };
  const element = make("figure", look, canvas, ...(caption ? [note] : []));
  let waiting = false;
  function redraw() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      const width = canvas.clientWidth;
      if (!width) return;
      const height = Math.round(width * (ratio.call ? ratio(width) : ratio));
      const density = window.devicePixelRatio || 1;
      canvas.width = Math.round(width * density);
      canvas.height = Math.round(height * density);
      canvas.style.height = `${height}px`;
      const context = canvas.getContext("2d");
      context.scale(density, density);
      context.font = "13px system-ui, sans-serif";
      draw(context, width, height, colours(canvas));
    });
  }
  new ResizeObserver(redraw).observe(element);
  new MutationObserver(redraw).observe(document.body, {
    attributes: true,
    attributeFilter: ["data-md-color-scheme"],
  });
  return {
    element,
    canvas,
    redraw,
    describe: (text) => canvas.setAttribute("aria-label", text),
    caption: (text) => note.replaceChildren(text),
  };
}

/** Draws axes with ticks and returns { x, y }, from numbers to pixels.
 *
 * area: { width, height } of the picture. x, y: { min, max, label, log }; of x also the
 * ticks and their names, if they are not to be chosen here.
 */
export function axes(context, area, x, y, colour) {
  const box = { left: 50, right: area.width - 20, top: 14, bottom: area.height - 40 };
  const toX = scale(x, box.left, box.right);
  const toY = scale(y, box.bottom, box.top);
  context.save();
  context.strokeStyle = colour.line;
  context.fillStyle = colour.soft;
  context.lineWidth = 1;
  context.textBaseline = "top";
  context.textAlign = "center";
  const places = x.ticks ?? ticks(x, (box.right - box.left) / 60);
  places.forEach((tick, i) => {
    stroke(context, [[toX(tick), box.top], [toX(tick), box.bottom]]);
    const name = x.names?.[i] ?? written(tick, x.log);
    context.fillText(name, toX(tick), box.bottom + 5);
  });
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const tick of ticks(y, (box.bottom - box.top) / 40)) {
    stroke(context, [[box.left, toY(tick)], [box.right, toY(tick)]]);
    context.fillText(written(tick, y.log), box.left - 6, toY(tick));
  }
  context.textAlign = "right";
  context.textBaseline = "bottom";
  context.fillText(x.label ?? "", box.right, area.height - 3);
  context.textAlign = "left";
  context.textBaseline = "top";
  if (y.label) {
    const size = context.measureText(y.label).width;
    context.fillStyle = colour.ground;
    context.fillRect(box.left + 2, box.top + 2, size + 8, 18);
    context.fillStyle = colour.soft;
    context.fillText(y.label, box.left + 6, box.top + 4);
  }
  context.restore();
  return { x: toX, y: toY, box };
}

function scale({ min, max, log }, from, to) {
  const of = log ? Math.log : (x) => x;
  const share = (value) => (of(value) - of(min)) / (of(max) - of(min));
  return (value) => from + (to - from) * share(value);
}

function ticks({ min, max, log }, most) {
  if (log) {
    const [first, last] = [Math.ceil(Math.log10(min) - 1e-9), Math.floor(Math.log10(max))];
    const every = Math.max(1, Math.ceil((last - first + 1) / most));
    const found = [];
    for (let i = first; i <= last; i += every) found.push(10 ** i);
    return found;
  }
  const rough = (max - min) / Math.max(2, most);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough);
  const found = [];
  for (let i = Math.ceil(min / step - 1e-9); i * step <= max + 1e-9 * step; i += 1) {
    found.push(i * step);
  }
  return found;
}

function written(x, log) {
  if (log && (x >= 1e4 || x < 1e-2)) return `1e${Math.round(Math.log10(x))}`;
  return String(Number(x.toPrecision(6))).replace("-", "−");
}

/** Draws a line through points [x, y] in pixels; it breaks where one is not finite. */
export function stroke(context, points) {
  context.beginPath();
  let isDown = false;
  for (const [x, y] of points) {
    if (!Number.isFinite(x) || !Number.isFinite(y)) isDown = false;
    else if (isDown) context.lineTo(x, y);
    else {
      context.moveTo(x, y);
      isDown = true;
    }
  }
  context.stroke();
}

export function dot(context, x, y, radius, fill, border) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fillStyle = fill;
  context.fill();
  if (!border) return;
  context.strokeStyle = border;
  context.lineWidth = 2;
  context.stroke();
}

/** Runs `body` with drawing limited to a box of `axes`. */
export function clipped(context, { left, right, top, bottom }, body) {
  context.save();
  context.beginPath();
  context.rect(left, top, right - left, bottom - top);
  context.clip();
  body();
  context.restore();
}

/** The colour between three, for a share from 0 to 1, as [r, g, b]. */
export function between(share, { no, middle, yes }) {
  const [from, to] = share < 0.5 ? [middle, no] : [middle, yes];
  const part = Math.min(1, Math.abs(share - 0.5) * 2);
  return from.map((c, i) => c + (to[i] - c) * part);
}

/** An animation: { toggle, stop, isRunning }; tick() runs before each frame. */
export function animation(tick, changed) {
  let handle = null;
  const frame = () => {
    handle = requestAnimationFrame(frame);
    tick();
  };
  const stop = () => {
    if (handle === null) return;
    cancelAnimationFrame(handle);
    handle = null;
    changed?.(false);
  };
  const start = () => {
    if (handle !== null) return;
    handle = requestAnimationFrame(frame);
    changed?.(true);
  };
  return {
    start,
    stop,
    toggle: () => (handle === null ? start() : stop()),
    get isRunning() {
      return handle !== null;
    },
  };
}

/** A number with so many decimals and a true minus sign. */
export function fixed(x, decimals = 2) {
  return x.toFixed(decimals).replace(/^-/, "−");
}

/** A number with three significant digits and a true minus sign. */
export function short(x) {
  if (!Number.isFinite(x)) return "∞";
  return String(Number(x.toPrecision(3))).replace("-", "−");
}
