// The page on which a network translates, piece by piece.

import { offerModel, outputs, publish, stepReader } from "./live.js";
import { subwords } from "./math/texts.js";
import * as ui from "./ui.js";

const START = 2;
const END = 3;
const LONGEST = 60; // pieces of a sentence

ui.page("translate-a-sentence-model", (root) =>
  offerModel(root, "translate_a_sentence", "multi30k_attention", (model) =>
    mount(root, model),
  ),
);

function mount(root, model) {
  const { settings, examples, sessions, ort } = model;
  const codec = subwords(settings);
  let asked = 0;

  /** Yields the translation of a sentence as it grows. */
  async function* translated(sentence) {
    const tokens = codec.tokens(sentence).slice(0, LONGEST);
    if (!tokens.length) return;
    const source = Int32Array.from([...tokens, END]);
    const length = 10 + 12 * Math.floor((tokens.length + 7) / 8);
    const inputs = { source: new ort.Tensor("int32", source, [1, source.length]) };
    const states = await outputs(sessions["encoder.onnx"], inputs);
    const read = stepReader(model, sessions["step.onnx"], length, states);
    const written = [];
    let token = START;
    for (let place = 0; place < length - 1; place += 1) {
      const logits = await read(token, place);
      token = logits.indexOf(Math.max(...logits));
      if (token === END) return;
      written.push(token);
      yield codec.text(written.filter((each) => each > END));
    }
  }

  /** The whole translation of a sentence. */
  async function translate(sentence) {
    let text = "";
    for await (const longer of translated(sentence)) text = longer;
    return text;
  }

  async function show() {
    asked += 1;
    const mine = asked;
    const pieces = codec.tokens(text.value).map((i) => settings.pieces[i]);
    const begun = performance.now();
    let result = "";
    for await (const longer of translated(text.value)) {
      if (mine !== asked) return;
      result = longer;
      answer.textContent = result;
    }
    const milliseconds = performance.now() - begun;
    status.textContent = pieces.length
      ? `${milliseconds.toFixed(0)} ms. The network read these pieces: ` +
        pieces.map((piece) => piece.replace("▁", "")).join(" | ")
      : "Type a German sentence first.";
  }

  const id = "pg-german";
  const text = ui.make("textarea", { id, rows: 2, lang: "de" });
  text.value = examples[0].text;
  const field = ui.make(
    "div",
    { class: "pg-control", style: "flex-basis: 100%; max-width: none" },
    ui.make("label", { for: id }, "German sentence"),
    text,
  );
  const go = ui.button("Translate", show, true);
  const samples = examples.slice(1, 5).map((example, i) =>
    ui.button(`Example ${i + 1}`, () => {
      text.value = example.text;
      show();
    }),
  );
  const answer = ui.make("div", {
    class: "pg-text", style: "min-height: 4em", "aria-live": "polite",
  });
  const status = ui.status();
  root.append(ui.controls(field, ui.buttons(go, ...samples)), answer, status);
  publish("translate_a_sentence", { translate, examples });
  show();
}
