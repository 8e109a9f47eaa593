/** Making and finding elements. */

const SVG_TAGS = ["svg", "path", "circle"];
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** `make("li.best", { title: "…" }, "text", child)`: properties, text, children, and arrays of them. */
export function make(selector, ...contents) {
  const [tag, ...classes] = selector.split(".");
  const isSvg = SVG_TAGS.includes(tag);
  const made = isSvg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  made.classList.add(...classes);
  for (const each of contents.flat()) {
    if (each?.constructor !== Object) made.append(each);
    else if (!isSvg) Object.assign(made, each);
    else for (const [name, value] of Object.entries(each)) made.setAttribute(name, value);
  }
  return made;
}

/** The elements below `host` that have a `data-part`, by that name. */
export function partsOf(host) {
  return Object.fromEntries([...host.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]));
}

/** Appends a template of the page; the parts of its new home. */
export function useTemplate(host, id) {
  host.append(document.getElementById(id).content.cloneNode(true));
  return partsOf(host);
}

/** Where a pointer is in an element: [0, 0] at its upper left, [1, 1] at its lower right. */
export function placeIn(host, { clientX, clientY }) {
  const { left, top, width, height } = host.getBoundingClientRect();
  return [(clientX - left) / width, (clientY - top) / height];
}

/** Calls `move([right, down])` for each arrow key. */
export function watchArrows(host, move) {
  host.addEventListener("keydown", (event) => {
    if (!ARROWS[event.key] || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    move(ARROWS[event.key]);
  });
}

/** An image over its caption: a name, and lines that say more. */
export function figureOf(src, side, name, ...lines) {
  return make("figure", make("img.pixels", { src, alt: name, width: side, height: side }),
    make("figcaption", make("b", name), lines.flatMap((line) => [line, make("br")])));
}

/** A table that scrolls by itself; the cells of its head and rows are texts, or arrays of contents. */
export function tableOf(name, head, rows) {
  const line = (tag, cells) => make("tr", cells.map((cell) => make(tag, cell)));
  return make("div.scroll", { tabIndex: 0, role: "region", ariaLabel: name },
    make("table", make("thead", line("th", head)), make("tbody", rows.map((cells) => line("td", cells)))));
}

/** Steps from one image to another. */
export const figureSteps = (images, side) => images.map((image, step) => figureOf(image, side, `${step + 1} of ${images.length}`));

/** Fills a select with values; the one wanted is chosen, else the one before, where it is offered. */
export function offer(select, values, wanted) {
  const chosen = [wanted, select.value].find((value) => values.includes(value));
  select.replaceChildren(...values.map((value) => make("option", value)));
  if (chosen) select.value = chosen;
}

/** "0.2,1" → [0.2, 1]; what is no number is left out. */
export const numbersOf = (text) => (text ?? "").split(",").filter(Boolean).map(Number).filter(Number.isFinite);
