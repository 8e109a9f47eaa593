/** A row of examples: drawn digits, and photographs that lie beside the page. */

import { make } from "./dom.js";
import { paintStrokes } from "./strokes.js";

const THUMBNAIL = 80;

/** Points of a circle's arc: centre, radii, and degrees, clockwise from the right. */
function arc(x, y, rx, ry, from, to) {
  return Array.from({ length: 17 }, (_, index) => {
    const angle = ((from + (index / 16) * (to - from)) * Math.PI) / 180;
    return [x + rx * Math.cos(angle), y + ry * Math.sin(angle)];
  });
}

/** Ten digits, as strokes in the unit square. */
export const DIGITS = [
  [arc(0.5, 0.5, 0.2, 0.31, -70, 290)],
  [[[0.4, 0.31], [0.53, 0.19], [0.51, 0.82]]],
  [[...arc(0.49, 0.36, 0.18, 0.17, -165, 35), [0.33, 0.8], [0.71, 0.79]]],
  [[...arc(0.48, 0.335, 0.16, 0.14, -155, 80), ...arc(0.48, 0.64, 0.19, 0.17, -80, 150)]],
  [[[0.42, 0.18], [0.27, 0.57], [0.75, 0.55]], [[0.63, 0.33], [0.59, 0.86]]],
  [[[0.67, 0.19], [0.38, 0.2], [0.35, 0.47], ...arc(0.48, 0.63, 0.19, 0.19, -110, 150)]],
  [[[0.6, 0.17], [0.42, 0.38], ...arc(0.49, 0.64, 0.16, 0.18, -165, 190)]],
  [[[0.29, 0.22], [0.71, 0.21], [0.58, 0.5], [0.47, 0.83]]],
  [[...arc(0.5, 0.34, 0.14, 0.15, -60, -260), ...arc(0.5, 0.66, 0.17, 0.18, -80, 230), [0.6, 0.45]]],
  [[...arc(0.49, 0.36, 0.16, 0.17, 0, 350), [0.65, 0.36], [0.6, 0.62], [0.53, 0.84]]],
].map((strokes, digit) => ({ name: `a drawn ${digit}`, strokes }));

export const PHOTOS = [
  { name: "a cat", src: "page/cat.jpg" },
  { name: "a cup of coffee", src: "page/coffee.jpg" },
  { name: "a rocket", src: "page/rocket.jpg" },
  { name: "a pair of trousers", src: "page/trousers.png" },
  { name: "a dress", src: "page/dress.png" },
  { name: "a sneaker", src: "page/sneaker.png" },
  { name: "an ankle boot", src: "page/boot.png" },
];

/** Buttons that call `choose(example)`. */
export function createExamples(host, examples, choose) {
  host.hidden = !examples.length;
  host.replaceChildren(...examples.map((example) => make("button.example", { type: "button", ariaLabel: `Use ${example.name}`,
    title: example.name, onclick: () => choose(example) }, example.src ? make("img", { src: example.src, alt: "" }) : thumbnail(example.strokes))));
}

function thumbnail(strokes) {
  const canvas = make("canvas", { width: THUMBNAIL, height: THUMBNAIL });
  paintStrokes(canvas.getContext("2d"), strokes, "#7d8a86");
  return canvas;
}
