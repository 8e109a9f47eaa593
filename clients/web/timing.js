/** Where the time of a call went: a thin bar and its legend. */

import { element } from "./dom.js";
import { milliseconds } from "./words.js";

export function showTiming({ bar, legend }, { timing, roundTripMs }) {
  bar.replaceChildren(...timing.map((step, index) => {
    const part = element("span", { className: `step-${index % 4}` });
    part.style.flexGrow = String(step.milliseconds);
    return part;
  }));
  const entries = timing.map((step, index) => element("li", {},
    element("span", { className: `swatch step-${index % 4}` }), `${step.name} ${milliseconds(step.milliseconds)}`));
  legend.replaceChildren(...entries, element("li", { textContent: `there and back ${milliseconds(roundTripMs)}` }));
}
