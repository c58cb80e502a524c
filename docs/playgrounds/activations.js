// The page on activations: two curves, their slopes, and scores that become shares.

import { ACTIVATIONS, DISTRIBUTIONS, SLOPES } from "./math/activations.js";
import * as ui from "./ui.js";

const REACH = 5;
const NOTHING = "nothing";
const NAMES_OF_SCORES = ["score 1", "score 2", "score 3"];
const NAMES = Object.keys(ACTIVATIONS);

ui.page("activations", (root) => {
  const show = () => {
    values.redraw();
    slopes.redraw();
    tell();
  };
  const first = chooser("Activation", NAMES, "relu", 1, show);
  const second = chooser("Compare with", [NOTHING, ...NAMES], "gelu", 2, show);
  const at = ui.slider({
    label: "Input x", min: -REACH, max: REACH, step: 0.05, value: -1,
    format: (x) => ui.fixed(x), change: show,
  });
  const formula = ui.make("p", { class: "pg-formula" });
  const status = ui.status();

  function tell() {
    const chosen = [first, second].filter((each) => each.curve());
    formula.replaceChildren();
    chosen.forEach((each, i) => {
      if (i) formula.append(ui.make("br"));
      formula.append(`${each.menu.value}: ${each.curve().formula}`);
    });
    const parts = chosen.map((each) => {
      const { f, slope } = each.curve();
      const [y, dy] = [f(at.value, each.parameter()), slope(at.value, each.parameter())];
      return `${each.menu.value} is ${ui.short(y)} and its slope ${ui.short(dy)}`;
    });
    status.textContent = `At x = ${ui.fixed(at.value)}, ${parts.join("; ")}.`;
    values.describe(`Curves of the activations. ${status.textContent}`);
  }

  const graph = (of, y) => (context, width, height, colour) => {
    const x = { min: -REACH, max: REACH, label: "x" };
    const to = ui.axes(context, { width, height }, x, y, colour);
    ui.clipped(context, to.box, () => {
      context.strokeStyle = colour.soft;
      context.setLineDash([4, 4]);
      ui.stroke(context, [[to.x(at.value), to.box.top], [to.x(at.value), to.box.bottom]]);
      context.setLineDash([]);
      [second, first].forEach((each) => {
        const curve = each.curve();
        if (!curve) return;
        context.strokeStyle = colour.series[each.colour - 1];
        context.lineWidth = each === first ? 3 : 2;
        const points = [];
        let before = null;
        for (let i = 0; i <= 1000; i += 1) {
          const px = -REACH + (2 * REACH * i) / 1000;
          const py = curve[of](px, each.parameter());
          // A jump is drawn as a gap, because the curve has no value in between.
          if (before !== null && Math.abs(py - before) > 0.15) points.push([NaN, NaN]);
          points.push([to.x(px), to.y(py)]);
          before = py;
        }
        ui.stroke(context, points);
        const y = curve[of](at.value, each.parameter());
        ui.dot(
          context, to.x(at.value), to.y(y), 6, context.strokeStyle, colour.ground,
        );
      });
    });
  };
  const values = ui.picture({
    label: "Curves of the activations",
    caption: "The value y by the input x.",
    draw: graph("f", { min: -2.2, max: 4.2, label: "y" }),
  });
  const slopes = ui.picture({
    label: "Slopes of the activations",
    caption: "The slope dy/dx. A gap is a place where the slope jumps.",
    draw: graph("slope", { min: -1.1, max: 2.1, label: "dy / dx" }),
  });

  root.append(
    ui.controls(...first.elements, ...second.elements, at.element),
    formula,
    ui.pictures(values.element, slopes.element),
    status,
    ui.make("h2", {}, "From scores to shares"),
    ...shares(),
  );
  show();
});

/** A menu of curves, and the slider of the chosen curve's parameter. */
function chooser(label, options, value, colour, change) {
  let parameter = null;
  const place = ui.make("div", { class: "pg-control" });
  const menu = ui.select({
    label, options, value, colour,
    change: () => {
      renew();
      change();
    },
  });
  const curve = () => ACTIVATIONS[menu.value];
  function renew() {
    const known = curve()?.parameter;
    parameter = null;
    place.replaceChildren();
    place.hidden = !known;
    if (!known) return;
    parameter = ui.slider({
      ...known, label: known.name, step: 0.05, format: ui.short, change,
    });
    place.append(...parameter.element.children);
  }
  renew();
  return {
    elements: [menu.element, place],
    menu,
    colour,
    curve,
    parameter: () => parameter?.value,
  };
}

/** The part on softmax, log_softmax and sparsemax: three scores and their bars. */
function shares() {
  const scores = [1.5, 0.5, -1].map((value, i) =>
    ui.slider({
      label: `Score ${i + 1}`, min: -4, max: 4, step: 0.05, value,
      format: (x) => ui.fixed(x), change: () => show(),
    }),
  );
  const table = ui.make("div", {
    class: "pg-table", tabindex: 0, role: "region", "aria-label": "Shares and slopes",
  });
  const show = () => {
    bars.redraw();
    tell();
  };
  function tell() {
    const x = scores.map((each) => each.value);
    const head = ["", "y1", "y2", "y3", "dy1/dx1", "dy2/dx1", "dy3/dx1"];
    const rows = Object.entries(DISTRIBUTIONS).map(([name, f]) =>
      ui.make(
        "tr", {},
        ui.make("th", { scope: "row" }, name),
        ...[...f(x), ...SLOPES[name](x, 0)].map((value) =>
          ui.make("td", {}, ui.fixed(Math.abs(value) < 5e-4 ? 0 : value, 3)),
        ),
      ),
    );
    const names = head.map((text) => ui.make(text ? "th" : "td", {}, text));
    table.replaceChildren(
      ui.make(
        "table", { class: "pg-grid" },
        ui.make("thead", {}, ui.make("tr", {}, ...names)),
        ui.make("tbody", {}, ...rows),
      ),
    );
    bars.describe(
      `Shares of three scores. softmax: ${DISTRIBUTIONS.softmax(x).map(ui.short)}; ` +
        `sparsemax: ${DISTRIBUTIONS.sparsemax(x).map(ui.short)}`,
    );
  }
  const bars = ui.picture({
    label: "Shares of three scores",
    caption: "Shares of the three scores, by softmax (left bars) and sparsemax (right).",
    ratio: 0.6,
    size: "pg-middle",
    draw(context, width, height, colour) {
      const x = scores.map((each) => each.value);
      const of = { min: 0.4, max: 3.6, ticks: [1, 2, 3], names: NAMES_OF_SCORES };
      const to = ui.axes(
        context, { width, height }, of, { min: 0, max: 1, label: "share" }, colour,
      );
      [DISTRIBUTIONS.softmax, DISTRIBUTIONS.sparsemax].forEach((f, k) => {
        context.fillStyle = colour.series[k];
        f(x).forEach((share, i) => {
          const left = to.x(i + 1 - 0.3 + 0.3 * k);
          const top = to.y(share);
          context.fillRect(left, top, to.x(1.27) - to.x(1), to.y(0) - top);
        });
      });
    },
  });
  tell();
  return [
    ui.controls(...scores.map((each) => each.element)),
    ui.pictures(bars.element, table),
  ];
}
