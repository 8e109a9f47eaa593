/** The digit's colour behind a map of digits: what the digit classifier reads in each of its cells. */

import { make } from "./dom.js";

export const COLOURS = ["#b3423a", "#a8641d", "#87741a", "#4c7a2b", "#17795a", "#15748a", "#3b66b5", "#6a55b8", "#964aa3", "#ad4274"];
const AT_ONCE = 50; // images of one request
const SIDE = 28;

/** Cells of a square image, `size` across → [cells][28][28] grey values. */
function cellsOf(image, size) {
  const width = size * SIDE;
  const context = make("canvas", { width, height: width }).getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0, width, width);
  return Array.from({ length: size * size }, (_, index) => {
    const { data } = context.getImageData((index % size) * SIDE, Math.floor(index / size) * SIDE, SIDE, SIDE);
    return Array.from({ length: SIDE }, (__, row) => Array.from({ length: SIDE }, (___, column) => data[4 * (row * SIDE + column)]));
  });
}

/** The digit in each cell, row by row; null where it is probably none. `ask(path, content)` asks the service. */
export async function readDigits(image, size, ask) {
  const cells = cellsOf(image, size);
  const digits = [];
  for (let start = 0; start < cells.length; start += AT_ONCE) {
    const { predictions } = await ask("v1/digits/classify?normalize=off", { instances: cells.slice(start, start + AT_ONCE) });
    digits.push(...predictions.map(({ digit, outlier }) => (outlier ? null : digit)));
  }
  return digits;
}

/** One pixel a cell, in the digit's colour; black where there is none. */
export function paintDigits(digits, size) {
  const canvas = make("canvas.colours", { width: size, height: size, ariaHidden: "true" });
  const context = canvas.getContext("2d");
  digits.forEach((digit, index) => {
    context.fillStyle = COLOURS[digit] ?? "#000";
    context.fillRect(index % size, Math.floor(index / size), 1, 1);
  });
  return canvas;
}

/** Which colour is which digit, and how many cells show none. */
export function legendOf(digits) {
  const none = digits.filter((digit) => digit === null).length;
  return [...COLOURS.map((colour, digit) => make("li", make("span.swatch", { style: `background: ${colour}` }), String(digit))),
    make("li", `no digit: ${none} of ${digits.length} places`)];
}
