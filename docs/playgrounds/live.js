// What pages with a trained model share: the model, and what runs it.
//
// The site's build puts ONNX models into models/, and onnxruntime-web beside its own
// assets. Both are loaded when a visitor asks for them: they have many megabytes.

import * as ui from "./ui.js";

const here = (path) => new URL(path, import.meta.url).href;

async function json(path) {
  const answer = await fetch(here(path));
  if (!answer.ok) throw new Error(`${path} can't be read (${answer.status})`);
  return answer.json();
}

/** Shows what there is to know about a page's model, with a button that loads it.
 *
 * recipe: the recipe to train where there is no model. ready(model) is called once the
 * model is loaded: { settings, examples, sessions: {file: session}, ort, facts }.
 */
export async function offerModel(root, page, recipe, ready) {
  const { facts, unreachable } = await json("models/index.json").then(
    (index) => ({ facts: index[page] }),
    () => ({ unreachable: true }),
  );
  if (!facts) {
    const missing = unreachable ? "The list of models can't be read." : "";
    root.append(
      ui.make(
        "p",
        { class: "pg-note" },
        `${missing} There is no model here. Train one with `,
        ui.make("code", {}, `python recipes/${recipe}.py`),
        ", and build the site with ",
        ui.make("code", {}, `python -m cookbook site --models runs/${recipe}`),
        ".",
      ),
    );
    return;
  }
  const status = ui.status();
  const size = Object.values(facts.files).reduce((sum, bytes) => sum + bytes, 0);
  const start = ui.button(
    "Load the model",
    async () => {
      start.disabled = true;
      status.textContent = "The model is loading ...";
      try {
        const model = await load(page, facts);
        note.remove();
        await ready(model);
        root.append(ui.make("p", { class: "pg-name" }, sentenceOf(facts, size)));
      } catch (error) {
        start.disabled = false;
        status.textContent = `The model can't be loaded: ${error.message}`;
      }
    },
    true,
  );
  const note = ui.make(
    "div",
    { class: "pg-note" },
    ui.make("p", {}, sentenceOf(facts, size)),
    ui.buttons(start),
    status,
  );
  root.append(note);
}

/** What a model is and how good it is, in one sentence or two. */
export function sentenceOf(facts, size) {
  const measured = Object.entries(facts.measured).map(
    ([name, value]) => `${name} ${written(name, value)}`,
  );
  const seed = facts.seed === null ? "" : ` with seed ${facts.seed}`;
  const figures = measured.length ? ` Measured: ${measured.join(", ")}.` : "";
  return (
    `The model of ${facts.recipe}, trained on ${facts.data} by "${facts.command}"${seed} ` +
    `in ${facts.cpu_seconds} s of processor time on ${facts.machine}.${figures} ` +
    `It has ${(facts.parameters ?? 0).toLocaleString("en")} weights and ` +
    `${(size / 1e6).toFixed(1)} MB; what runs it, once for all pages, has 14 MB.`
  );
}

function written(name, value) {
  if (typeof value !== "number") return String(value);
  if (/accuracy|class|share/.test(name)) return `${(100 * value).toFixed(2)} %`;
  return value.toFixed(3);
}

async function load(page, facts) {
  const ort = await import(here("../assets/onnxruntime/ort.wasm.min.mjs"));
  ort.env.wasm.wasmPaths = here("../assets/onnxruntime/");
  ort.env.wasm.numThreads = 1; // more would need headers that simple servers do not send
  const folder = `models/${page}`;
  const [settings, examples, ...sessions] = await Promise.all([
    json(`${folder}/settings.json`),
    json(`${folder}/examples.json`),
    ...Object.keys(facts.files).map((file) =>
      ort.InferenceSession.create(here(`${folder}/${file}`)),
    ),
  ]);
  const named = Object.keys(facts.files).map((file, i) => [file, sessions[i]]);
  return { settings, examples, sessions: Object.fromEntries(named), ort, facts };
}

/** The outputs of a network in their order. inputs: {name: tensor}. */
export async function outputs(session, inputs) {
  const found = await session.run(inputs);
  const names = [...session.outputNames];
  return names.map((name) => found[name]);
}

/** A step that carries its states: read(tokens, place) gives the next logits. */
export function stepReader({ ort, settings }, session, length, first) {
  let states =
    first ??
    settings.states.map(({ shape, type }) => {
      const size = shape.reduce((product, side) => product * side, 1);
      return new ort.Tensor(type, emptyArray(type, size), shape);
    });
  return async (token, place) => {
    const row = new Int32Array(length);
    row[place] = token;
    const inputs = {
      tokens: new ort.Tensor("int32", row, [1, length]),
      index: new ort.Tensor("int32", Int32Array.of(place), [1]),
    };
    states.forEach((state, i) => {
      inputs[`state_${i}`] = state;
    });
    const [logits, ...next] = await outputs(session, inputs);
    states = next;
    return logits.data;
  };
}

function emptyArray(type, size) {
  if (type === "bool") return new Uint8Array(size);
  return type === "int32" ? new Int32Array(size) : new Float32Array(size);
}

/** Bars for the shares of classes, as a list that screen readers read. */
export function shareBars(label, classes, choose) {
  const list = ui.make("div", { class: "pg-shares", role: "group", "aria-label": label });
  return {
    element: list,
    show(shares, chosen) {
      list.replaceChildren(
        ...classes.map((name, i) => {
          const percent = `${(100 * shares[i]).toFixed(1)} %`;
          const bar = ui.make("span", {
            class: "pg-bar",
            style: `width: ${100 * shares[i]}%`,
            "aria-hidden": "true",
          });
          const parts = [
            ui.make("span", { class: "pg-class" }, name),
            ui.make("span", { class: "pg-track" }, bar),
            ui.make("span", { class: "pg-share" }, percent),
          ];
          if (!choose) return ui.make("div", { class: "pg-line" }, ...parts);
          const look = {
            type: "button",
            class: "pg-line",
            "aria-pressed": String(i === chosen),
            onclick: () => choose(i),
          };
          return ui.make("button", look, ...parts);
        }),
      );
    },
  };
}

/** Draws pixels as squares; colour(value, place) is [red, green, blue]. */
export function drawPixels(context, pixels, [height, width], size, colour) {
  const canvas = ui.make("canvas", { width, height });
  const small = canvas.getContext("2d");
  const image = small.createImageData(width, height);
  pixels.forEach((value, i) => image.data.set([...colour(value, i), 255], 4 * i));
  small.putImageData(image, 0, 0);
  const side = size / Math.max(height, width);
  context.imageSmoothingEnabled = false;
  context.drawImage(canvas, 0, 0, width * side, height * side);
}

/** What tests and curious readers use: window.liveModels[page]. */
export function publish(page, functions) {
  window.liveModels = { ...window.liveModels, [page]: functions };
}
