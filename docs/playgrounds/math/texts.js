// Texts as the models of this project take them: words, characters and subwords.

const TAG = /<[^<>]*>/g;
const WORD = /[\p{L}\p{N}]+(?:'[\p{L}\p{N}]+)*|[!?.,]/gu;
const UNKNOWN_WORD = 1; // 0 is padding, 2 the first word of the vocabulary

/** The words and the marks ! ? . , of a text, in lower case. */
export function splitWords(text) {
  const plain = text.replace(TAG, " ").replaceAll("’", "'").toLowerCase();
  return plain.match(WORD) ?? [];
}

/** A function from words to ids, for the words of a vocabulary in their order. */
export function vocabulary(words) {
  const ids = new Map(words.map((word, i) => [word, i + 2]));
  return (list) => list.map((word) => ids.get(word) ?? UNKNOWN_WORD);
}

/** The first quarter and the last three quarters of what is longer than `length`. */
export function cut(list, length) {
  if (list.length <= length) return list;
  const head = Math.floor(length / 4);
  return [...list.slice(0, head), ...list.slice(list.length - (length - head))];
}

/** What erasing each word does to the log-odds of a class.
 *
 * logits: of the text itself, then of the text without its first word, and so on.
 */
export function influences(logits, label) {
  const odds = logits.map((row) => logOdds(row, label));
  return odds.slice(1).map((value) => odds[0] - value);
}

function logOdds(row, label) {
  const shares = softmax(row);
  const others = shares.reduce((sum, p, i) => (i === label ? sum : sum + p), 0);
  return Math.log(shares[label]) - Math.log(others + 1e-300);
}

export function softmax(logits) {
  const row = Array.from(logits);
  const largest = Math.max(...row);
  const exp = row.map((x) => Math.exp(x - largest));
  const total = exp.reduce((sum, x) => sum + x, 0);
  return exp.map((x) => x / total);
}

/** The token of each character; 0 for one that the alphabet lacks. */
export function tokensOf(text, alphabet) {
  const places = new Map([...alphabet].map((character, i) => [character, i]));
  return [...text].map((character) => places.get(character) ?? 0);
}

/** A token drawn from the softmax of logits / temperature, never token 0. */
export function drawn(logits, temperature, uniform) {
  const scaled = Array.from(logits, (x) => x / temperature);
  scaled[0] = -Infinity;
  let rest = uniform();
  const shares = softmax(scaled);
  for (let token = 0; token < shares.length; token += 1) {
    rest -= shares[token];
    if (rest < 0) return token;
  }
  return shares.lastIndexOf(Math.max(...shares));
}

const SPACE = "▁"; // stands for the space before a word
const PIECE = /▁?[\p{L}\p{N}_]+|▁?[^\p{L}\p{N}_\s]/gu;

/** Byte-pair encoding: { tokens(text), text(tokens) }. */
export function subwords({ pieces, merges }) {
  const token = new Map(pieces.map((piece, i) => [piece, i]));
  const rank = new Map(merges.map((pair, i) => [pair.join(" "), i]));
  const split = (word) => {
    const parts = [...word];
    for (;;) {
      let [best, place] = [Infinity, -1];
      for (let i = 0; i + 1 < parts.length; i += 1) {
        const order = rank.get(`${parts[i]} ${parts[i + 1]}`) ?? Infinity;
        if (order < best) [best, place] = [order, i];
      }
      if (place < 0) return parts;
      parts.splice(place, 2, parts[place] + parts[place + 1]);
    }
  };
  return {
    tokens(text) {
      const spaced = SPACE + text.split(/\s+/u).filter(Boolean).join(SPACE);
      const words = spaced.match(PIECE) ?? [];
      const known = words.flatMap(split).filter((piece) => token.has(piece));
      if (!known.join("").replaceAll(SPACE, "")) return [];
      return known.map((piece) => token.get(piece));
    },
    text(tokens) {
      const joined = tokens.map((i) => pieces[i]).join("");
      return joined.replaceAll(SPACE, " ").trim();
    },
  };
}
