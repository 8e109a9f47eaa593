/** Curves of a training as inline SVG: what was learnt faint, what was kept apart in the accent. */

import { drawn, element } from "./dom.js";

const WIDTH = 320;
const HEIGHT = 120;

/** Values, and the lowest and highest of the picture → an SVG path. */
export function pathOf(values, [low, high]) {
  return values.map((value, index) => {
    const x = (index / Math.max(1, values.length - 1)) * WIDTH;
    const y = HEIGHT - ((value - low) / (high - low || 1)) * HEIGHT;
    return `${index ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`;
  }).join("");
}

/** A figure for each measure; "loss" and "val_loss", or "train_x" and "validation_x", share one. */
export function createCurves(history) {
  return Object.entries(pairsOf(history)).map(([name, curves]) => createCurve(name, curves));
}

/** Measures of several epochs that were taken of both. */
export function pairsOf(history) {
  const pairs = {};
  for (const [name, values] of Object.entries(history)) {
    const [, kind, measure] = name.match(/^(val_|validation_|train_)?(.*)$/);
    (pairs[measure] ??= {})[kind?.startsWith("val") ? "validation" : "train"] = values;
  }
  return Object.fromEntries(Object.entries(pairs).filter(([, { train, validation }]) => train && validation?.length > 1));
}

function createCurve(name, curves) {
  const all = Object.values(curves).flat();
  const range = [Math.min(...all), Math.max(...all)];
  const paths = Object.entries(curves).map(([className, values]) =>
    drawn("path", { class: className, d: pathOf(values, range) }));
  const words = Object.entries(curves).map(([kind, values]) => `${kind} ${short(values[0])} → ${short(values.at(-1))}`).join(", ");
  return element("figure", { className: "curve" },
    drawn("svg", { viewBox: `0 -4 ${WIDTH} ${HEIGHT + 8}`, role: "img", "aria-label": `${name}: ${words}` }, ...paths),
    element("figcaption", {}, element("b", { textContent: name.replaceAll("_", " ") }), words));
}

const short = (value) => String(Number(value.toPrecision(3)));
