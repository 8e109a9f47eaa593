/**
 * The ONNX graphs of exported models, run in this browser by ONNX Runtime.
 *
 * A model answers after its golden outputs came out within its tolerance, as in the service.
 */

import { NotFound, Unavailable } from "./errors.js";

const SITE = new URL("../../", import.meta.url);
const KINDS = { uint8: Uint8Array, int32: Int32Array, float32: Float32Array };
const SIMD_PROGRAM = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11];
const NO_SIMD = "this page computes in the browser and needs WebAssembly with SIMD, which this browser lacks: update the browser, or open the page of a Vitrine service";

let runtime = null; // the promise of ONNX Runtime

async function loadRuntime() {
  if (!globalThis.WebAssembly?.validate(Uint8Array.from(SIMD_PROGRAM))) throw new Unavailable(NO_SIMD);
  const ort = await import(new URL("runtime/ort.wasm.min.js", SITE).href);
  ort.env.wasm.numThreads = 1; // more need headers that a static host does not send
  ort.env.wasm.wasmPaths = Object.fromEntries(["mjs", "wasm"].map((kind) =>
    [kind, new URL(`runtime/ort-wasm-simd-threaded.${kind === "mjs" ? "js" : kind}`, SITE).href]));
  return ort;
}

async function fetched(path) {
  const response = await fetch(new URL(path, SITE));
  if (!response.ok) throw new Unavailable(`${path} is missing on this site: write the site again`);
  return response;
}

/** What `vitrine site` wrote down of its models, in the form of /v1/models. */
export const createGraphs = ({ onChecked = () => {}, ort = () => (runtime ??= loadRuntime()), file = fetched } = {}) => {
  const models = new Map();
  const cards = new Map();

  async function load(name) {
    const folder = `models/${name}/`;
    const manifest = await (await file(`${folder}model.json`)).json();
    return createModel(manifest, ort, async (path) => new Uint8Array(await (await file(folder + path)).arrayBuffer()), onChecked);
  }

  return {
    list: async () => (await file("models/index.json")).json(),
    /** A model, once; it reads a graph when a signature is first run. */
    async model(name) {
      const { data } = await this.list();
      if (!data.some(({ id }) => id === name)) throw new NotFound(`there is no model ${name} on this site`);
      return remembered(models, name, () => load(name));
    },
    card: (name) => remembered(cards, name, async () => (await file(`models/${name}/card.json`)).json()),
  };
};

/** The value of a promise by its key, made once; a failed one is made anew. */
function remembered(store, key, make) {
  if (!store.has(key)) store.set(key, make().catch((error) => { store.delete(key); throw error; }));
  return store.get(key);
}

function createModel(manifest, ort, read, onChecked) {
  const sessions = new Map();
  const checked = new Map();
  const graphOf = (signature) => `${Object.keys(manifest.signatures[signature].inputs).sort().join("+")}.onnx`;
  const golden = () => remembered(checked, "golden.bin", async () => (await read("golden.bin")).buffer);

  async function run(signature, inputs) {
    const { Tensor, InferenceSession } = await ort();
    const session = await remembered(sessions, graphOf(signature), async () => InferenceSession.create(await read(graphOf(signature))));
    const feeds = Object.fromEntries(Object.entries(inputs).map(([name, { data, shape }]) =>
      [name, new Tensor(kindOf(manifest.signatures[signature].inputs[name]), data, shape)]));
    const names = session.outputNames.filter((name) => name.startsWith(`${signature}/`));
    const outputs = await queued(() => session.run(feeds, names));
    return Object.fromEntries(names.map((name) => [name.slice(signature.length + 1), { data: outputs[name].data, shape: outputs[name].dims }]));
  }

  /** The golden inputs of a signature → whether its golden outputs come out; the largest difference. */
  async function check(signature) {
    const wanted = manifest.golden[signature];
    const bytes = await golden();
    const arrays = (described) => Object.fromEntries(Object.entries(described).map(([name, { dtype, shape, offset }]) =>
      [name, { shape, data: new KINDS[dtype](bytes, offset, shape.reduce((size, each) => size * each, 1)) }]));
    const outputs = await run(signature, arrays(wanted.inputs));
    let worst = 0;
    for (const [name, { data }] of Object.entries(arrays(wanted.outputs))) {
      const tolerance = manifest.tolerance[name] ?? 1e-4;
      const relative = data instanceof Float32Array ? tolerance : 0;
      data.forEach((value, index) => {
        const off = Math.abs(value - outputs[name].data[index]);
        worst = Math.max(worst, off);
        if (!(off <= tolerance + relative * Math.abs(value))) throw new Unavailable(
          `${manifest.name} must give its golden outputs in this browser, got ${name} off by ${off.toPrecision(2)}: use another browser`);
      });
    }
    onChecked({ name: manifest.name, signature, worst });
  }

  /** A layer's `kind`, `below`, … and, of a convolution, its `kernel` [h, w, C, N] and `bias` [N]; undefined where the export has none. */
  async function filterOf(layer) {
    const about = manifest.filters?.[layer];
    if (!about?.file) return about;
    const { buffer } = await remembered(checked, about.file, () => read(about.file));
    const size = about.shape.reduce((product, each) => product * each, 1);
    return { ...about, kernel: new Float32Array(buffer, 0, size), bias: new Float32Array(buffer, 4 * size) };
  }

  return {
    ...manifest,
    /** What an answer says of the model that gave it. */
    reference: { name: manifest.name, version: manifest.version },
    filterOf,
    has: (signature) => signature in manifest.signatures,
    /** `inputs`: name → { data, shape }; the same of the outputs. */
    async run(signature, inputs) {
      if (manifest.golden[signature]) await remembered(checked, signature, () => check(signature));
      return run(signature, inputs);
    },
  };
}

const kindOf = (spec) => spec.split(" ")[0];

let last = Promise.resolve();

/** ONNX Runtime runs one graph at a time. */
function queued(job) {
  last = last.then(job, job);
  return last;
}
