/** The picture on its way through the network, left to right. */

const WISHED_WIDTH = 128; // CSS pixels; maps are enlarged by a whole number, at least 2, to come near it
const FEW_VALUES = 16;

/**
 * @param {HTMLElement} strip
 * @param {string} input address of the picture that went in
 * @param {{name: string, shape: number[], image?: string, values?: number[]}[]} layers
 */
export function showLayers(strip, input, layers) {
  const first = createFigure("input", [28, 28], createMaps(input, 84));
  const others = layers.map(({ name, shape, image, values }) =>
    createFigure(name, shape, image ? createMaps(image) : createValues(values ?? [])));
  const { scrollLeft } = strip;
  strip.replaceChildren(first, ...others);
  strip.scrollLeft = scrollLeft;
}

/** Marks a strip that holds more to the right, so that it can fade there. @param {HTMLElement} strip */
export function watchOverflow(strip) {
  const mark = () => {
    strip.classList.toggle("more", strip.scrollLeft + strip.clientWidth < strip.scrollWidth - 1);
  };
  strip.addEventListener("scroll", mark, { passive: true });
  strip.addEventListener("load", mark, { capture: true }); // each map, once its size is known
  new ResizeObserver(mark).observe(strip);
}

function createFigure(name, shape, content) {
  const figure = document.createElement("figure");
  const caption = document.createElement("figcaption");
  const title = document.createElement("b");
  title.textContent = name;
  caption.append(title, `${shape.join(" × ")}`);
  figure.append(content, caption);
  return figure;
}

function createMaps(address, width = WISHED_WIDTH) {
  const image = new Image();
  image.className = "pixels";
  image.alt = "";
  image.addEventListener("load", () => enlarge(image, image.naturalWidth, width));
  image.src = address;
  return image;
}

function enlarge(element, naturalWidth, width = WISHED_WIDTH) {
  element.style.width = `${naturalWidth * Math.max(2, Math.round(width / naturalWidth))}px`;
}

function createValues(values) {
  return values.length <= FEW_VALUES ? createColumn(values) : createGrid(values);
}

function createColumn(values) {
  const list = document.createElement("ol");
  list.className = "column";
  const highest = Math.max(...values.map(Math.abs)) || 1;
  list.append(...values.map((value, index) => {
    const item = document.createElement("li");
    const fill = document.createElement("span");
    fill.className = "fill";
    fill.style.transform = `scaleX(${Math.abs(value) / highest})`;
    item.append(String(index), fill);
    return item;
  }));
  return list;
}

function createGrid(values) {
  const canvas = document.createElement("canvas");
  const columns = Math.ceil(Math.sqrt(values.length));
  canvas.className = "pixels";
  canvas.width = columns;
  canvas.height = Math.ceil(values.length / columns);
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(canvas.width, canvas.height);
  const low = Math.min(0, ...values);
  const range = Math.max(...values) - low || 1;
  for (let index = 0; index < columns * canvas.height; index += 1) {
    const grey = index < values.length ? ((values[index] - low) / range) * 255 : 0;
    pixels.data.set([grey, grey, grey, 255], index * 4);
  }
  context.putImageData(pixels, 0, 0);
  enlarge(canvas, columns, 96);
  return canvas;
}
