/** Charts: bars that move to where they belong, and curves as inline SVG. */

import { make } from "./dom.js";
import { figure, inWords, percent } from "./format.js";

const WIDTH = 320;
const HEIGHT = 120;

/** Rows: a name, a share from 0 to 1, and what is written beside it; the longest is highlighted by default. */
export function showBars(list, rows, best = rows.findIndex(([, share]) => share === Math.max(...rows.map(([, each]) => each)))) {
  if (list.children.length !== rows.length) {
    list.replaceChildren(...rows.map(() => make("li", make("span.name"), make("span.track", make("span.fill")), make("span.value"))));
  }
  rows.forEach(([name, share, words = percent(share)], index) => {
    const item = list.children[index];
    item.classList.toggle("best", index === best);
    item.firstChild.textContent = name;
    item.querySelector(".fill").style.transform = `scaleX(${share})`;
    item.lastChild.textContent = words;
  });
}

/** Rows: a name, a number, and what is written beside it; bars to the right and to the left of a zero line. */
export function showSignedBars(list, rows) {
  const values = rows.map(([, value]) => value);
  const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
  const range = high - low || 1;
  showBars(list, rows.map(([name, value, words]) => [name, Math.abs(value) / range, words]), values.indexOf(high));
  list.classList.add("signed");
  rows.forEach(([, value], index) => {
    const fill = list.children[index].querySelector(".fill");
    fill.style.transform = `translateX(${100 * (Math.min(0, value) - low) / range}%) scaleX(${Math.abs(value) / range})`;
    fill.parentElement.style.setProperty("--zero", `${-100 * low / range}%`);
  });
}

/** Values, and the lowest and highest of the chart → an SVG path. */
export function pathOf(values, [low, high]) {
  return values.map((value, index) => {
    const x = (index / Math.max(1, values.length - 1)) * WIDTH;
    const y = HEIGHT - ((value - low) / (high - low || 1)) * HEIGHT;
    return `${index ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`;
  }).join("");
}

/** What is numbers in a history, by measure: `train` beside `validation`, or the values `alone`. */
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

/** A figure of curves, by kind, that share one chart. */
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
