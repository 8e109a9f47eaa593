/** Charts: bars that move to where they belong, and the curves of a training as inline SVG. */

import { make } from "./dom.js";
import { figure, inWords, percent } from "./words.js";

const WIDTH = 320;
const HEIGHT = 120;

/** Shares between 0 and 1 under their names; the longest stands out, and percentages are beside, unless told otherwise. */
export function showBars(list, names, shares, { best = shares.indexOf(Math.max(...shares)), values = shares.map(percent) } = {}) {
  if (list.children.length !== names.length) {
    list.replaceChildren(...names.map(() => make("li", make("span.name"), make("span.track", make("span.fill")), make("span.value"))));
  }
  names.forEach((text, index) => {
    const item = list.children[index];
    const [name, track, value] = item.children;
    item.classList.toggle("best", index === best);
    name.textContent = text;
    track.firstChild.style.transform = `scaleX(${shares[index]})`;
    value.textContent = values[index] ?? "";
  });
}

/** Values, and the lowest and highest of the picture → an SVG path. */
export function pathOf(values, [low, high]) {
  return values.map((value, index) => {
    const x = (index / Math.max(1, values.length - 1)) * WIDTH;
    const y = HEIGHT - ((value - low) / (high - low || 1)) * HEIGHT;
    return `${index ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`;
  }).join("");
}

/** Everything numeric of a history, by measure: what was `train`ed on beside its `validation`, else the values `alone`. */
export function measuresOf(history) {
  const measures = {};
  for (const [name, values] of Object.entries(history)) {
    if (!(values?.length > 1 && values.every?.(Number.isFinite))) continue;
    const [, kind, measure] = name.match(/^(val_|validation_|train_)?(.*)$/);
    (measures[measure] ??= {})[kind?.startsWith("val") ? "validation" : "train"] = values;
  }
  for (const [measure, { train, validation }] of Object.entries(measures)) {
    if (!train || !validation) measures[measure] = { alone: train ?? validation };
  }
  return measures;
}

/** A figure of curves, by kind, that share one picture. */
export function createCurve(name, curves) {
  const all = Object.values(curves).flat();
  const range = [Math.min(...all), Math.max(...all)];
  const words = Object.entries(curves).map(([kind, values]) =>
    `${kind === "alone" ? "" : `${kind} `}${figure(values[0])} → ${figure(values.at(-1))}`).join(", ");
  return make("figure.curve",
    make("svg", { viewBox: `0 -4 ${WIDTH} ${HEIGHT + 8}`, role: "img", "aria-label": `${inWords(name)}: ${words}` },
      Object.entries(curves).map(([kind, values]) => make("path", { class: kind, d: pathOf(values, range) }))),
    make("figcaption", make("b", inWords(name)), words));
}
