/** Train your own classes: images and their features stay in the browser; only features are asked of the service. */

import { newestOnly, Superseded } from "./api.js";
import { showBars } from "./chart.js";
import { make, tableOf } from "./dom.js";
import { percent, sentence } from "./format.js";
import { crossValidate, probabilitiesOf, train } from "./softmax_regression.js";
import { zipOf } from "./zip.js";

const MOST_CLASSES = 5;
const BACKBONE = "labels";

/** The head as `vitrine import head.json --on labels --name NAME` reads it. */
export function formatHead({ kernel, bias }, labels, notes) {
  const bytes = new Uint8Array(Float32Array.from(kernel.flat()).buffer);
  return { format: 1, on: BACKBONE, labels, kernel: btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")), bias, ...notes };
}

export function parseHead({ kernel, bias, labels }) {
  const bytes = Uint8Array.from(atob(kernel), (character) => character.charCodeAt(0));
  const flat = new Float32Array(bytes.buffer);
  const rows = Array.from({ length: flat.length / labels.length }, (_, row) => Array.from(flat.subarray(row * labels.length, (row + 1) * labels.length)));
  return { kernel: rows, bias, labels };
}

/** Fills a host; `vitrine` asks the service. */
export function createTeaching(host, vitrine) {
  const classes = [];
  const rows = make("div.columns");
  const note = make("p.note", { hidden: true, role: "status" });
  const result = make("div");
  let head = null; // { kernel, bias, labels }
  const button = (text, onclick, kind = "button") => make(kind, { type: "button", onclick }, text);
  const say = (text) => { note.textContent = text; note.hidden = !text; };

  async function featuresOf(file) {
    const { body } = await vitrine.ask(`v1/images/features?model=${BACKBONE}`, file, "features");
    return body.features[0];
  }

  function addClass(name) {
    const label = make("input", { value: name, ariaLabel: "Name of the class" });
    const images = make("div.examples", { role: "group", ariaLabel: `Images of ${name}` });
    const count = make("p.fine", "no images yet");
    const mine = { get name() { return label.value.trim(); }, examples: [] };
    const add = async (files) => {
      for (const file of files) {
        try {
          const features = await featuresOf(file);
          mine.examples.push({ file, features });
          images.append(make("img", { src: URL.createObjectURL(file), alt: file.name, width: 40, height: 40 }));
          count.textContent = `${mine.examples.length} images`;
        } catch (error) {
          say(sentence(`${file.name}: ${error.message}`));
        }
      }
    };
    const input = (text, options) => {
      const field = make("input.unseen", { type: "file", accept: "image/*", onchange: () => add([...field.files]) }, options);
      if (!options.multiple) field.setAttribute("capture", "environment");
      return make("label.button", field, text);
    };
    const column = make("div.column", label, make("div.tools", input("Add images", { multiple: true }), input("Take a photo", { multiple: false })), count, images);
    column.ondragover = (event) => event.preventDefault();
    column.ondrop = (event) => { event.preventDefault(); event.stopPropagation(); add([...event.dataTransfer.files]); };
    classes.push(mine);
    rows.append(column);
  }

  function fit() {
    say("");
    const vectors = classes.flatMap(({ examples }) => examples.map(({ features }) => features));
    const labels = classes.flatMap(({ examples }, index) => examples.map(() => index));
    const names = classes.map(({ name }) => name);
    if (new Set(names).size < names.length || names.includes("")) return say("Each class needs a different name.");
    if (classes.some(({ examples }) => examples.length < 2)) return say("Each class needs at least two images.");
    const began = performance.now();
    head = { ...train(vectors, labels, names.length), labels: names };
    const { read, accuracy, folds } = crossValidate(vectors, labels, names.length);
    const seconds = (performance.now() - began) / 1000;
    const how = folds === vectors.length ? "each left out once" : `in ${folds} parts, each left out once`;
    const cells = names.map((_, truth) => names.map((__, given) => read.filter((each, index) => labels[index] === truth && each === given).length));
    result.replaceChildren(
      make("p.certainty", `${percent(accuracy)} of ${vectors.length} images are read right`),
      make("p.fine", `${how}; trained in ${seconds.toFixed(1)} s. A row is what an image shows, a column what is read.`),
      tableOf("Confusion table", ["", ...names], cells.map((row, index) => [names[index], ...row])),
      make("div.tools",
        button("Save the images (zip)", saveImages),
        button("Save head.json", () => save("head.json", new Blob([JSON.stringify(formatHead(head, names, { accuracy, images: vectors.length }))])))),
      make("p.fine", "Serve it: ", make("code", `vitrine import head.json --on ${BACKBONE} --name pets`)), createTrial());
    return undefined;
  }

  /** One image at a time against the trained head. */
  function createTrial() {
    const list = make("ol.bars.named", { ariaLabel: "Your classes" });
    const field = make("input.unseen", { type: "file", accept: "image/*" });
    const newest = newestOnly();
    field.onchange = async () => {
      const [file] = field.files;
      if (!file) return;
      try {
        const shares = probabilitiesOf(head, await newest(() => featuresOf(file)));
        showBars(list, shares.map((share, index) => [head.labels[index], share]));
      } catch (error) {
        if (!(error instanceof Superseded)) say(sentence(error.message));
      }
    };
    return make("div", make("label.button", field, "Try an image"), list);
  }

  async function saveImages() {
    const files = classes.flatMap(({ name, examples }) => examples.map(({ file }, index) => ({ name: `${name.replaceAll(/[\\/]/g, "_")}/${index + 1}-${file.name}`, file })));
    save("images.zip", zipOf(await Promise.all(files.map(async ({ name, file }) => ({ name, bytes: new Uint8Array(await file.arrayBuffer()) })))));
  }

  function save(name, blob) {
    const link = make("a", { href: URL.createObjectURL(blob), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  const loader = make("input.unseen", { type: "file", accept: "application/json" });
  loader.onchange = async () => {
    try {
      head = parseHead(JSON.parse(await loader.files[0].text()));
      result.replaceChildren(make("p", `Loaded: ${head.labels.join(", ")}`), createTrial());
      say("");
    } catch {
      say("The file must be a head.json saved by this page.");
    }
  };

  addClass("class 1");
  addClass("class 2");
  const more = button("Another class", () => { addClass(`class ${classes.length + 1}`); more.disabled = classes.length === MOST_CLASSES; });
  host.append(
    make("p", "Two to five classes, some images of each. The service computes their features and stores nothing; the training runs in your browser."),
    rows, make("div.tools", button("Train", fit), more, make("label.button", loader, "Load head.json")), note, result);
}
