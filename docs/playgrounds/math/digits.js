// What a visitor draws, as an image like those of MNIST.
//
// It is what the page of `python -m cookbook demo` does, with the numbers of Pillow's
// LANCZOS filter: a test compares the two pixel by pixel.

const FILLED = 20 / 28; // share of its side that a digit of MNIST fills
const PRECISION = 2 ** 22; // Pillow's weights are whole numbers of this unit

/** Ink (rows of numbers from 0 to 255) as height x width pixels; null without ink. */
export function placed(ink, height = 28, width = 28) {
  const cut = cropped(ink);
  if (!cut) return null;
  const scale = Math.min(
    (height * FILLED) / cut.length,
    (width * FILLED) / cut[0].length,
  );
  const sides = [cut.length, cut[0].length];
  const [rows, columns] = sides.map((side) => Math.max(1, roundToEven(scale * side)));
  const small = resized(cut, rows, columns);
  const [top, left] = place(small, height, width);
  const pixels = Array.from({ length: height }, () => new Uint8Array(width));
  small.forEach((row, i) => pixels[top + i].set(row, left));
  return pixels;
}

/** The part of an image inside the rectangle around all that is not 0. */
function cropped(ink) {
  let [top, bottom, left, right] = [Infinity, -1, Infinity, -1];
  ink.forEach((row, i) =>
    row.forEach((value, j) => {
      if (!value) return;
      [top, bottom] = [Math.min(top, i), Math.max(bottom, i)];
      [left, right] = [Math.min(left, j), Math.max(right, j)];
    }),
  );
  if (bottom < 0) return null;
  return ink.slice(top, bottom + 1).map((row) => row.slice(left, right + 1));
}

/** (top, left) that puts the centre of mass in the middle, as far as there is room. */
function place(ink, height, width) {
  let [total, rows, columns] = [0, 0, 0];
  ink.forEach((row, i) =>
    row.forEach((value, j) => {
      total += value;
      rows += value * (i + 0.5);
      columns += value * (j + 0.5);
    }),
  );
  const put = (side, centre, size) =>
    Math.min(side - size, Math.max(0, roundToEven(side / 2 - centre / total)));
  return [put(height, rows, ink.length), put(width, columns, ink[0].length)];
}

/** An image resized by Lanczos's filter of three lobes, first its rows. */
export function resized(image, height, width) {
  const narrow = image.map((row) => resizedLine(row, width));
  const columns = Array.from({ length: width }, (_, j) => narrow.map((row) => row[j]));
  const done = columns.map((column) => resizedLine(column, height));
  return Array.from({ length: height }, (_, i) =>
    Uint8Array.from(done, (column) => column[i]),
  );
}

function resizedLine(line, size) {
  if (line.length === size) return Uint8Array.from(line);
  return Uint8Array.from(weightsOf(line.length, size), ({ first, weights }) => {
    let sum = PRECISION / 2;
    weights.forEach((weight, i) => {
      sum += weight * line[first + i];
    });
    return Math.min(255, Math.max(0, Math.floor(sum / PRECISION)));
  });
}

/** For each place of the result: the first place that counts, and the weights. */
function weightsOf(from, to) {
  const scale = from / to;
  const wide = Math.max(scale, 1);
  return Array.from({ length: to }, (_, i) => {
    const centre = (i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - 3 * wide + 0.5));
    const end = Math.min(from, Math.trunc(centre + 3 * wide + 0.5));
    const exact = [];
    for (let j = first; j < end; j += 1) exact.push(lanczos((j - centre + 0.5) / wide));
    const total = exact.reduce((sum, w) => sum + w, 0);
    const weights = exact.map((w) => {
      const unit = (w / total) * PRECISION;
      return Math.trunc(unit + (unit < 0 ? -0.5 : 0.5));
    });
    return { first, weights };
  });
}

function lanczos(x) {
  return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0;
}

function sinc(x) {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** Python's round: a half goes to the even number. */
function roundToEven(x) {
  const low = Math.floor(x);
  if (x - low !== 0.5) return Math.round(x);
  return low % 2 === 0 ? low : low + 1;
}
