/** Ten bars, one for each digit. */

import { percent } from "./words.js";

/**
 * @param {HTMLElement} list an empty list
 * @param {number} [count]
 * @returns {{show: (probabilities: number[]) => void, clear: () => void}}
 */
export function createBars(list, count = 10) {
  const rows = Array.from({ length: count }, (_, index) => createRow(index));
  list.replaceChildren(...rows.map(({ item }) => item));
  return {
    show(probabilities) {
      const best = probabilities.indexOf(Math.max(...probabilities));
      rows.forEach(({ item, fill, value }, index) => {
        item.classList.toggle("best", index === best);
        fill.style.transform = `scaleX(${probabilities[index]})`;
        value.textContent = percent(probabilities[index]);
      });
    },
    clear() {
      for (const { item, fill, value } of rows) {
        item.classList.remove("best");
        fill.style.transform = "scaleX(0)";
        value.textContent = "";
      }
    },
  };
}

function createRow(index) {
  const item = document.createElement("li");
  const name = span("name", String(index));
  const track = span("track");
  const fill = span("fill");
  const value = span("value");
  fill.style.transform = "scaleX(0)";
  track.append(fill);
  item.append(name, track, value);
  return { item, fill, value };
}

function span(className, text = "") {
  const element = document.createElement("span");
  element.className = className;
  element.textContent = text;
  return element;
}
