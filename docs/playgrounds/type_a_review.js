// The page on which a network judges a film review, word by word.

import { offerModel, outputs, publish, shareBars } from "./live.js";
import { cut, influences, softmax, splitWords, vocabulary } from "./math/texts.js";
import * as ui from "./ui.js";

const SHORTEST = 16; // words of a row
const ROWS = 32; // texts that are judged at once
const UNKNOWN = 1;

ui.page("type-a-review-model", (root) =>
  offerModel(root, "type_a_review", "imdb_cnn", (model) => mount(root, model)),
);

function mount(root, model) {
  const { settings, examples, sessions, ort } = model;
  const { classes } = settings;
  const idsOf = vocabulary(settings.words.split(" "));
  let asked = 0;

  /** The logits of texts of equal length, each a row of ids. */
  async function logitsOf(rows) {
    const length = Math.max(SHORTEST, rows[0].length);
    const found = [];
    for (let start = 0; start < rows.length; start += ROWS) {
      const part = rows.slice(start, start + ROWS);
      const ids = new Int32Array(part.length * length);
      part.forEach((row, i) => ids.set(row, i * length));
      const tensor = new ort.Tensor("int32", ids, [part.length, length]);
      const [logits] = await outputs(sessions["model.onnx"], { ids: tensor });
      part.forEach((_, i) => {
        const size = classes.length;
        found.push(Array.from(logits.data.slice(i * size, (i + 1) * size)));
      });
    }
    return found;
  }

  /** {words, ids, probabilities} of a text. */
  async function judge(text) {
    const words = cut(splitWords(text), settings.length);
    const ids = words.length ? idsOf(words) : [UNKNOWN];
    const [logits] = await logitsOf([ids]);
    return { words, ids, logits, probabilities: softmax(logits) };
  }

  /** What each word of a judged text does to the log-odds of a class. */
  async function influenceOf({ ids, logits }, label) {
    const erased = ids.map((_, t) => ids.map((id, s) => (s === t ? UNKNOWN : id)));
    return influences([logits, ...(await logitsOf(erased))], label);
  }

  async function show() {
    asked += 1;
    const mine = asked;
    if (!splitWords(text.value).length) {
      status.textContent = "Type a review first.";
      return;
    }
    const begun = performance.now();
    const found = await judge(text.value);
    const milliseconds = performance.now() - begun;
    const best = found.probabilities.indexOf(Math.max(...found.probabilities));
    const influence = await influenceOf(found, best);
    if (mine !== asked) return; // another text has been typed meanwhile
    bars.show(found.probabilities);
    const most = Math.max(...influence.map(Math.abs), 1e-9);
    words.replaceChildren(
      ...found.words.map((word, i) => {
        const share = Math.round((45 * Math.abs(influence[i])) / most);
        const colour = influence[i] >= 0 ? "var(--pg-1)" : "var(--pg-2)";
        const ground = `color-mix(in srgb, ${colour} ${share}%, var(--pg-ground))`;
        const isUnknown = found.ids[i] === UNKNOWN;
        const value = influence[i].toFixed(2).replace("-", "−");
        return ui.make(
          "span",
          { style: `background: ${ground}`, title: `influence ${value}` },
          isUnknown ? ui.make("u", {}, word) : word,
        );
      }),
    );
    const order = influence.map((_, i) => i).sort((a, b) => influence[b] - influence[a]);
    const loudest = order.slice(0, 3).filter((i) => influence[i] > 0);
    const named = loudest.map((i) => found.words[i]).join(", ") || "no word";
    const share = (100 * found.probabilities[best]).toFixed(1);
    status.textContent =
      `The network says ${classes[best]}, with a probability of ${share} % ` +
      `(${milliseconds.toFixed(0)} ms). Most of it comes from: ${named}.`;
  }

  const id = "pg-review";
  let waiting = null;
  const text = ui.make("textarea", {
    id,
    rows: 4,
    oninput: () => {
      clearTimeout(waiting);
      waiting = setTimeout(show, 250);
    },
  });
  text.value = examples[0].text;
  const field = ui.make(
    "div",
    { class: "pg-control", style: "flex-basis: 100%; max-width: none" },
    ui.make("label", { for: id }, "Your review"),
    text,
  );
  const samples = ui.buttons(
    ...examples.slice(1, 5).map((example, i) =>
      ui.button(`Example ${i + 1}`, () => {
        text.value = example.text;
        show();
      }),
    ),
  );
  const bars = shareBars("How probable the classes are", classes);
  const words = ui.make("p", { class: "pg-words" });
  const caption = ui.make(
    "p",
    { class: "pg-name" },
    "Blue words speak for the answer, orange ones against it.",
  );
  const status = ui.status();
  root.append(ui.controls(field, samples), bars.element, caption, words, status);
  publish("type_a_review", { judge, influenceOf, examples });
  show();
}
