// Scaled dot-product attention over words, with the symbols of
// custom_layers/layers/attention/scaled_dot_product.py.

/** {P, y}: the weights of the keys for each query, and the means of the values.
 *
 * P = softmax(Q K^T / sqrt(d)), where keys that are not allowed weigh 0;  y = P V
 * With `causal`, a word attends to itself and to the words before it only.
 */
export function scaledDotProduct(Q, K, V, { causal = false } = {}) {
  const d = Q[0].length;
  const P = Q.map((q, t) => {
    const scores = K.map((k) => dot(q, k) / Math.sqrt(d));
    return softmaxOf(scores.map((score, s) => (causal && s > t ? -Infinity : score)));
  });
  const y = P.map((p) => V[0].map((_, e) => dot(p, V.map((v) => v[e]))));
  return { P, y };
}

function dot(a, b) {
  return a.reduce((sum, x, i) => sum + x * b[i], 0);
}

function softmaxOf(scores) {
  const largest = Math.max(...scores);
  const exp = scores.map((score) => Math.exp(score - largest));
  const total = exp.reduce((sum, x) => sum + x, 0);
  return exp.map((x) => x / total);
}

const multiplied = (x, W) => W[0].map((_, j) => x.reduce((s, v, i) => s + v * W[i][j], 0));

// The embedding: what a word is, one number for each of these features.
export const FEATURES = [
  "person",
  "animal",
  "thing",
  "place",
  "action",
  "quality",
  "pronoun",
  "small word",
];
const WORDS = {
  person:
    "man woman boy girl child children teacher friend king queen mother father people " +
    "doctor student anna tom romeo juliet",
  animal: "cat dog bird horse fish mouse cow lion wolf sheep bear duck",
  thing:
    "ball book tree car bread milk bone apple table song letter key hat chair net " +
    "network word words sentence picture water food",
  place: "house garden street school city park river mat home kitchen forest sea",
  action:
    "is was are were sat sits runs ran saw sees likes liked loves loved eats ate " +
    "sleeps slept chased chases gave gives reads read went goes found barked learns " +
    "learn plays played looks looked wrote writes drank",
  quality:
    "big small red green old young happy sad hungry tired fast slow good bad black " +
    "white little new warm cold",
  pronoun: "i you he she it we they him her them who his their its me us",
  "small word":
    "the a an and or but in on at of to with for from by so that this then not very " +
    "because " +
    "up down over under near",
};
const KIND = {};
for (const [kind, words] of Object.entries(WORDS)) {
  for (const word of words.split(" ")) KIND[word] = kind;
}

export function wordsOf(text) {
  return (text.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? []).slice(0, 14);
}

/** The kind of a word, one of FEATURES, or undefined for a word that is not known. */
export function kindOf(word) {
  if (Object.hasOwn(KIND, word)) return KIND[word];
  const singular = word.replace(/s$/, "");
  return Object.hasOwn(KIND, singular) ? KIND[singular] : undefined;
}

/** The vector of a word: 1 at its kind, and a little of its own from its letters. */
export function embedding(word) {
  const kind = kindOf(word);
  const letters = letterNumbers(word);
  return FEATURES.map((name, i) => (name === kind ? 1 : 0) + 0.15 * letters[i]);
}

/** Eight numbers between -1 and 1, always the same for the same word. */
function letterNumbers(word) {
  let hash = 2166136261;
  for (const character of word) {
    hash = Math.imul(hash ^ character.codePointAt(0), 16777619) >>> 0;
  }
  return FEATURES.map(() => {
    hash = (Math.imul(hash, 1664525) + 1013904223) >>> 0;
    return (hash / 2 ** 31 - 1) * 0.9;
  });
}

/** The position t as eight numbers: sines and cosines of four wavelengths. */
export function position(t) {
  return [1, 2, 4, 8].flatMap((wave) => [Math.sin(t / wave), Math.cos(t / wave)]);
}

const SIZE = FEATURES.length;
const square = (entry) =>
  Array.from({ length: SIZE }, (_, i) =>
    Array.from({ length: SIZE }, (_, j) => entry(i, j)),
  );
const SHARPNESS = 8;
const from = (pairs) =>
  square((i, j) => pairs[FEATURES[i]]?.[FEATURES[j]] ?? 0);

/** What a head looks for: (words, their vectors) -> {Q, K, V}. */
export const HEADS = {
  "Words of the same kind": (words) => {
    const E = words.map(embedding);
    return { Q: scaledBy(E, SHARPNESS), K: E, V: E };
  },
  "A pronoun looks for its noun": (words) => {
    const E = words.map(embedding);
    const W_Q = from({
      pronoun: { person: 1.5, animal: 1, thing: 0.3 },
      person: { person: 1 },
      animal: { animal: 1 },
      thing: { thing: 1 },
      place: { place: 1 },
      action: { action: 1 },
      quality: { quality: 1 },
      "small word": { "small word": 1 },
    });
    return { Q: scaledBy(E.map((x) => multiplied(x, W_Q)), SHARPNESS), K: E, V: E };
  },
  "A quality looks for what it describes": (words) => {
    const E = words.map(embedding);
    const W_Q = from({
      ...Object.fromEntries(FEATURES.map((name) => [name, { [name]: 1 }])),
      quality: { person: 1, animal: 1, thing: 1, place: 1 },
    });
    return { Q: scaledBy(E.map((x) => multiplied(x, W_Q)), SHARPNESS), K: E, V: E };
  },
  "The word before": (words) => {
    const places = words.map((_, t) => position(t));
    const before = words.map((_, t) => position(t - 1));
    return { Q: scaledBy(before, 3 * SHARPNESS), K: places, V: words.map(embedding) };
  },
};

function scaledBy(rows, factor) {
  return rows.map((row) => row.map((x) => factor * x));
}
