/** Making and finding elements. */

/** A new element with properties such as `className`, around its children. */
export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/** The same for SVG, where properties are attributes. */
export function drawn(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** The elements below `host` that have a `data-part`, by that name. */
export function partsOf(host) {
  return Object.fromEntries([...host.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]));
}

/** A picture of so many pixels a side over its caption: a name, and lines that say more. */
export function pictured(src, side, name, ...lines) {
  return element("figure", {}, element("img", { className: "pixels", src, alt: name, width: side, height: side }),
    element("figcaption", {}, element("b", { textContent: name }), ...lines.flatMap((line) => [line, element("br")])));
}

/** A form's values by name: numbers as numbers, what is empty left out. */
export function valuesOf(form) {
  const fields = [...form.elements].filter(({ name, value }) => name && value !== "");
  return Object.fromEntries(fields.map(({ name, type, value }) =>
    [name, type === "number" || type === "range" ? Number(value) : value]));
}

/** Fills a select; it keeps its value where that is still offered. */
export function offer(select, values) {
  const { value } = select;
  select.replaceChildren(...values.map((textContent) => element("option", { textContent })));
  if (values.includes(value)) select.value = value;
}

/** A Blob → its `data:` address. */
export function dataUri(blob) {
  return new Promise((resolve, reject) => {
    const reader = Object.assign(new FileReader(), { onload: () => resolve(reader.result), onerror: reject });
    reader.readAsDataURL(blob);
  });
}
