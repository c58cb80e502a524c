// The page on attention: where each word of a sentence looks.

import { FEATURES, HEADS, kindOf, scaledDotProduct, wordsOf } from "./math/attention.js";
import * as ui from "./ui.js";

const SENTENCES = [
  "the dog chased the ball because it was fast",
  "the old king loved his small white bird",
  "romeo saw juliet and he loved her",
];

ui.page("attention", (root) => {
  let words = [];
  let P = [];
  let y = [];
  let chosen = 6;
  const id = "pg-sentence";
  const text = ui.make("input", {
    id, type: "text", maxlength: 120, autocomplete: "off", oninput: () => compute(),
  });
  text.value = SENTENCES[0];
  const field = ui.make(
    "div", { class: "pg-control", style: "max-width: none; flex-basis: 100%" },
    ui.make("label", { for: id }, "Sentence (up to 14 words)"),
    text,
  );
  const examples = ui.buttons(
    ...SENTENCES.map((sentence, i) =>
      ui.button(`Example ${i + 1}`, () => {
        text.value = sentence;
        chosen = [6, 4, 6][i];
        compute();
      }),
    ),
  );
  const head = ui.select({
    label: "What the words look for", options: Object.keys(HEADS),
    value: "A pronoun looks for its noun", change: () => compute(),
  });
  const sharpness = ui.slider({
    label: "Sharpness of the queries", min: 0, max: 3, step: 0.05, value: 1,
    format: (x) => x.toFixed(2), change: () => compute(),
  });
  const causal = ui.checkbox({
    label: "Causal mask: only words before", change: () => compute(),
  });
  const list = ui.make("div", {
    class: "pg-words", role: "group", "aria-label": "The words: select one",
  });
  const status = ui.status();

  function compute() {
    words = wordsOf(text.value);
    if (!words.length) {
      list.replaceChildren();
      status.textContent = "Type a sentence first.";
      [P, y] = [[], []];
      redraw();
      return;
    }
    chosen = Math.min(chosen, words.length - 1);
    const { Q, K, V } = HEADS[head.value](words);
    const scaled = Q.map((q) => q.map((x) => sharpness.value * x));
    ({ P, y } = scaledDotProduct(scaled, K, V, { causal: causal.value }));
    const isFocused = list.contains(document.activeElement);
    list.replaceChildren(...words.map(wordButton));
    if (isFocused) list.children[chosen].focus();
    redraw();
    tell();
  }

  function wordButton(word, i) {
    const shade = Math.round(P[chosen][i] * 100);
    const click = () => {
      chosen = i;
      compute();
    };
    return ui.make(
      "button",
      {
        type: "button",
        "aria-pressed": String(i === chosen),
        style:
          `background: color-mix(in srgb, var(--pg-1) ${Math.round(shade * 0.45)}%, ` +
          "var(--pg-ground))",
        onclick: click,
      },
      `${word} ${shade}%`,
    );
  }

  function tell() {
    const order = words.map((_, i) => i).sort((a, b) => P[chosen][b] - P[chosen][a]);
    const parts = order
      .slice(0, 3)
      .map((i) => `${words[i]} ${(100 * P[chosen][i]).toFixed(0)} %`);
    const unknown = words.filter((word) => !kindOf(word));
    const note = unknown.length
      ? ` The kinds of these words are not known: ${[...new Set(unknown)].join(", ")}.`
      : "";
    status.textContent = `"${words[chosen]}" takes ${parts.join(", ")}.${note}`;
    grid.describe(`Weights of each word's attention. ${status.textContent}`);
  }

  function redraw() {
    grid.redraw();
    mixture.redraw();
  }

  const grid = ui.picture({
    label: "Weights of each word's attention",
    caption:
      "Each row is a query and sums to 1: the stronger the colour of a cell, the more " +
      "that word takes from the word of the column. The selected word has a frame.",
    ratio: 1,
    draw(context, width, height, colour) {
      if (!P.length) return;
      const left = Math.min(96, 16 + 8 * Math.max(...words.map((word) => word.length)));
      const side = Math.min(width, height) - left - 6;
      const cell = side / words.length;
      context.font = `${Math.min(14, Math.max(10, cell * 0.55))}px system-ui, sans-serif`;
      words.forEach((word, i) => {
        context.fillStyle = i === chosen ? colour.ink : colour.soft;
        context.textBaseline = "middle";
        context.textAlign = "right";
        context.fillText(word, left - 8, left + (i + 0.5) * cell);
        context.save();
        context.fillStyle = colour.soft;
        context.translate(left + (i + 0.5) * cell, left - 8);
        context.rotate(-Math.PI / 3);
        context.textAlign = "left";
        context.fillText(word, 0, 0);
        context.restore();
        words.forEach((_, j) => {
          context.globalAlpha = P[i][j];
          context.fillStyle = colour.series[0];
          context.fillRect(left + j * cell, left + i * cell, cell - 1, cell - 1);
          context.globalAlpha = 1;
          context.strokeStyle = colour.line;
          context.strokeRect(left + j * cell, left + i * cell, cell - 1, cell - 1);
        });
      });
      context.strokeStyle = colour.accent;
      context.lineWidth = 3;
      context.strokeRect(left, left + chosen * cell, side, cell - 1);
    },
  });
  const mixture = ui.picture({
    label: "What the selected word has become",
    caption: "The answer y of the selected word: the mean of the values, by feature.",
    ratio: 0.8,
    draw(context, width, height, colour) {
      if (!y.length) return;
      const values = y[chosen];
      const each = (height - 12) / FEATURES.length;
      const left = 96;
      const unit = (width - left - 70) / 1.3;
      FEATURES.forEach((name, i) => {
        const top = 6 + i * each;
        context.textBaseline = "middle";
        context.textAlign = "right";
        context.fillStyle = colour.soft;
        context.fillText(name, left - 8, top + each / 2);
        const zero = left + 0.25 * unit;
        context.fillStyle = colour.series[values[i] < 0 ? 1 : 0];
        const size = Math.max(-0.24, Math.min(1.05, values[i])) * unit;
        context.fillRect(Math.min(zero, zero + size), top + 3, Math.abs(size), each - 6);
        context.fillStyle = colour.ink;
        context.textAlign = "left";
        const written = values[i].toFixed(2).replace("-", "−");
        context.fillText(written, zero + Math.max(0, size) + 6, top + each / 2);
      });
    },
  });

  root.append(
    ui.controls(field, examples, head.element, sharpness.element, causal.element),
    list,
    ui.pictures(grid.element, mixture.element),
    status,
  );
  compute();
});
