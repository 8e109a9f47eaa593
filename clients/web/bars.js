/** Bars with a name and a value each, which move to where they belong. */

import { element } from "./dom.js";
import { percent } from "./words.js";

/**
 * Fills an empty list. `show` takes a share for each name; which one stands out (absent: the longest),
 * and what is written beside each (absent: percentages).
 */
export function createBars(list, names) {
  const rows = names.map((textContent) => {
    const fill = element("span", { className: "fill" });
    const value = element("span", { className: "value" });
    const item = element("li", {}, element("span", { className: "name", textContent }),
      element("span", { className: "track" }, fill), value);
    return { item, fill, value };
  });
  list.replaceChildren(...rows.map(({ item }) => item));
  function show(shares, { best = shares.indexOf(Math.max(...shares)), values = shares.map(percent) } = {}) {
    rows.forEach(({ item, fill, value }, index) => {
      item.classList.toggle("best", index === best);
      fill.style.transform = `scaleX(${shares[index]})`;
      value.textContent = values[index];
    });
  }
  const clear = () => show(names.map(() => 0), { best: -1, values: names.map(() => "") });
  clear();
  return { show, clear };
}
