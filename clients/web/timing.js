/** Where the time of a call went: a thin bar and its legend. */

import { milliseconds } from "./words.js";

/**
 * @param {{bar: HTMLElement, legend: HTMLElement}} elements
 * @param {{timing: {name: string, milliseconds: number}[], roundTripMs: number}} answer
 */
export function showTiming({ bar, legend }, { timing, roundTripMs }) {
  bar.replaceChildren(...timing.map((step, index) => {
    const part = document.createElement("span");
    part.className = `tint-${index % 4}`;
    part.style.flexGrow = String(step.milliseconds);
    return part;
  }));
  const entries = timing.map((step, index) =>
    createEntry(`${step.name} ${milliseconds(step.milliseconds)}`, `tint-${index % 4}`));
  legend.replaceChildren(...entries, createEntry(`there and back ${milliseconds(roundTripMs)}`));
}

function createEntry(text, tint) {
  const entry = document.createElement("li");
  if (tint) {
    const swatch = document.createElement("span");
    swatch.className = `swatch ${tint}`;
    entry.append(swatch);
  }
  entry.append(text);
  return entry;
}
