// The page on which a language model writes, character by character.

import { offerModel, publish, shareBars, stepReader } from "./live.js";
import { uniforms } from "./math/random.js";
import { drawn, softmax, tokensOf } from "./math/texts.js";
import * as ui from "./ui.js";

const LENGTH = 400; // characters of an answer
const SHOWN = 5; // probabilities of the next character

ui.page("continue-a-text-model", (root) =>
  offerModel(root, "continue_a_text", "shakespeare_gpt", (model) => mount(root, model)),
);

function mount(root, model) {
  const { settings, examples, sessions } = model;
  const { alphabet, context } = settings;
  const characters = [...alphabet];
  const reader = () => stepReader(model, sessions["step.onnx"], context);
  let isWriting = false;
  let seed = 1;

  /** The logits of what follows a text of at most `context` characters. */
  async function logitsAfter(text) {
    const read = reader();
    let logits = null;
    const tokens = tokensOf(text, alphabet);
    for (let i = 0; i < tokens.length; i += 1) logits = await read(tokens[i], i);
    return Array.from(logits);
  }

  /** Yields the characters that follow a text, with their logits. */
  async function* continued(text, temperature) {
    const uniform = uniforms(seed);
    const kept = Math.max(1, Math.floor(context / 2));
    let tokens = tokensOf(text || "\n", alphabet).slice(-kept);
    let read = reader();
    let seen = 0;
    for (;;) {
      if (tokens.length >= context) {
        // A full window: its second half becomes the beginning of the next one.
        tokens = tokens.slice(-kept);
        read = reader();
        seen = 0;
      }
      let logits = null;
      for (; seen < tokens.length; seen += 1) logits = await read(tokens[seen], seen);
      const token = drawn(logits, temperature, uniform);
      tokens.push(token);
      yield { character: characters[token], logits };
    }
  }

  const id = "pg-opening";
  const opening = ui.make("textarea", { id, rows: 3 });
  opening.value = "ROMEO:";
  const field = ui.make(
    "div",
    { class: "pg-control", style: "flex-basis: 100%; max-width: none" },
    ui.make("label", { for: id }, "How the text begins"),
    opening,
  );
  const temperature = ui.slider({
    label: "Temperature", min: 0.1, max: 1.8, step: 0.05, value: 0.8,
    format: (x) => x.toFixed(2),
  });
  const write = ui.button("Write", () => (isWriting ? stop() : begin()), true);
  const text = ui.make("div", {
    class: "pg-text", tabindex: 0, role: "region", "aria-label": "The text",
  });
  const next = ui.make("div", { class: "pg-shares" });
  const status = ui.status();

  function stop() {
    isWriting = false;
    write.textContent = "Write";
  }

  async function begin() {
    isWriting = true;
    write.textContent = "Stop";
    status.textContent = "";
    const written = ui.make("b");
    text.replaceChildren(opening.value, written);
    const begun = performance.now();
    let count = 0;
    seed += 1;
    for await (const { character, logits } of continued(opening.value, temperature.value)) {
      written.append(character);
      text.scrollTop = text.scrollHeight;
      count += 1;
      if (count % 4 === 1) {
        showNext(logits);
        await new Promise(requestAnimationFrame);
      }
      if (!isWriting || count >= LENGTH) break;
    }
    const each = (performance.now() - begun) / count;
    status.textContent = `${count} characters, ${each.toFixed(1)} ms each.`;
    stop();
  }

  function showNext(logits) {
    const shares = softmax(logits);
    const order = shares.map((_, i) => i).sort((a, b) => shares[b] - shares[a]);
    const best = order.slice(0, SHOWN);
    const names = best.map((i) => characters[i].replace(" ", "space").replace("\n", "line"));
    const bars = shareBars("How probable the next characters were", names);
    bars.show(best.map((i) => shares[i]));
    next.replaceChildren(...bars.element.children);
  }

  const caption = ui.make("p", { class: "pg-name" }, "How probable the next characters were");
  root.append(
    ui.controls(field, temperature.element, ui.buttons(write)),
    text,
    status,
    caption,
    next,
  );
  publish("continue_a_text", { logitsAfter, continued, examples });
}
