/** A model of plain tensors: a form made from its signature, with an example that runs, and the lines that ask it. */

import { VitrineError } from "./api.js";
import { make } from "./dom.js";

const DATATYPES = { // of the Open Inference Protocol
  float16: "FP16", float32: "FP32", float64: "FP64", int8: "INT8", int16: "INT16", int32: "INT32", int64: "INT64",
  uint8: "UINT8", uint16: "UINT16", uint32: "UINT32", uint64: "UINT64", bool: "BOOL", string: "BYTES",
};
const MOST_VALUES = 1000; // that a field shows one by one
const MOST_SHOWN = 20; // values of an output
const FREE = 8; // length of a free dimension, in an example; of rows there is one

/** "float32 [B,5]" → its type and sizes; null where a size is free. */
export function parseTensor(text) {
  const [dtype, sizes = "[]"] = text.split(" ");
  const listed = sizes.slice(1, -1);
  return { dtype, shape: listed ? listed.split(",").map((size) => (/^\d+$/.test(size) ? Number(size) : null)) : [] };
}

const sizesOf = ({ shape }) => shape.map((size, axis) => size ?? (axis === 0 ? 1 : FREE));
const countOf = (spec) => sizesOf(spec).reduce((product, size) => product * size, 1);

/** Nested lists of a shape; `valueAt(index)` in row-major order. */
function nested(sizes, valueAt, start = 0) {
  if (!sizes.length) return valueAt(start);
  const [length, ...inner] = sizes;
  const step = inner.reduce((product, size) => product * size, 1);
  return Array.from({ length }, (_, index) => nested(inner, valueAt, start + index * step));
}

function exampleValue(dtype, index) {
  if (dtype === "string") return "a";
  if (dtype === "bool") return true;
  return dtype.startsWith("float") ? (index % 10) / 10 : 1;
}

/** What a field holds at first: one row, or a single value where a row is long. */
export function exampleText(spec) {
  const isLong = countOf(spec) > MOST_VALUES;
  return JSON.stringify(isLong ? exampleValue(spec.dtype, 5) : nested(sizesOf(spec), (index) => exampleValue(spec.dtype, index)));
}

/** A field's text → the tensor as the protocol has it. A single value fills the whole of it. */
export function readTensor(name, spec, text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    throw new VitrineError(`${name} must be JSON such as ${exampleText(spec).slice(0, 60)}; texts stand in quotation marks.`);
  }
  const isFilled = !Array.isArray(value) && spec.shape.length > 0;
  const shape = isFilled ? sizesOf(spec) : shapeOf(value);
  const data = isFilled ? Array(countOf(spec)).fill(value) : [value].flat(Infinity);
  return { name, datatype: DATATYPES[spec.dtype], shape, data };
}

const shapeOf = (value) => (Array.isArray(value) ? [value.length, ...(value.length ? shapeOf(value[0]) : [])] : []);

/** The same request with tritonclient, which sends the tensors as bytes. */
export function tritonCode(base, model, { inputs, parameters }, withKey = false) {
  const { host, pathname, protocol } = new URL(base);
  const address = JSON.stringify(`${host}${pathname}`.replace(/\/$/, ""));
  const more = [
    parameters && `parameters=${JSON.stringify(parameters)}`,
    withKey && 'headers={"X-API-Key": os.environ["VITRINE_API_KEY"]}',
  ].filter(Boolean).map((each) => `, ${each}`).join("");
  return [
    ...(withKey ? ["import os", ""] : []),
    "import numpy as np", "import tritonclient.http as triton", "",
    `client = triton.InferenceServerClient(${address}${protocol === "https:" ? ", ssl=True" : ""})`,
    "inputs = []",
    "for name, datatype, array in [",
    ...inputs.map((tensor) => `    (${JSON.stringify(tensor.name)}, "${tensor.datatype}", ${arrayCode(tensor)}),`),
    "]:",
    "    inputs.append(triton.InferInput(name, list(array.shape), datatype))",
    "    inputs[-1].set_data_from_numpy(array)",
    `answer = client.infer(${JSON.stringify(model)}, inputs${more})`,
    'print({output["name"]: answer.as_numpy(output["name"]) for output in answer.get_response()["outputs"]})',
  ].join("\n");
}

function arrayCode({ datatype, shape, data }) {
  const dtype = datatype === "BYTES" ? "object" : `np.${numpyName(datatype)}`;
  const literal = (value) => (typeof value === "boolean" ? (value ? "True" : "False") : JSON.stringify(value));
  if (data.length > MOST_VALUES) return `np.full([${shape.join(", ")}], ${literal(data[0])}, ${dtype})`;
  return `np.array([${data.map(literal).join(", ")}], ${dtype}).reshape([${shape.join(", ")}])`;
}

function numpyName(datatype) {
  const [name] = Object.entries(DATATYPES).find(([, known]) => known === datatype);
  return name === "bool" ? "bool_" : name;
}

/**
 * Fills the parts of a section: `tensors` (all of it), `signature`, `tensorInputs`, `tensorOutputs`, `triton`.
 * The result shows the form of a card's model, or hides it for a model of another task.
 */
export function createTensorForm({ part, site, show, action, say, showCommand, terminals }) {
  let model = "";
  let signatures = {};
  const fields = () => [...part.tensorInputs.querySelectorAll("textarea")];

  function request() {
    const { inputs } = signatures[part.signature.value];
    const tensors = fields().map(({ dataset: { input }, value }) => readTensor(input, parseTensor(inputs[input]), value));
    const isDefault = part.signature.value === "serving_default";
    return { inputs: tensors, ...(!isDefault && { parameters: { signature_name: part.signature.value } }) };
  }

  /** Long tensors stay out of the shell's line: tritonclient sends them as bytes. */
  function showLines(path, body) {
    const isLong = body.inputs.some(({ data }) => data.length > MOST_VALUES);
    part.tensorTerminal.hidden = isLong;
    if (!isLong) showCommand(path, body, terminals.tensors);
    show({ triton: tritonCode(document.baseURI, model, body, Boolean(site.vitrine.key)) });
  }

  const run = action(async ({ signal }) => {
    const path = `v2/models/${model}/infer`;
    const body = request();
    showLines(path, body);
    const answer = await site.vitrine.ask(path, body, "outputs", { signal });
    terminals.tensors.showTiming(answer);
    say("");
    show({ tensorOutputs: answer.body.outputs.map(outputRow) });
  });

  function showSignature() {
    const { inputs } = signatures[part.signature.value];
    show({
      tensorOutputs: [],
      tensorInputs: Object.entries(inputs).map(([name, form]) => make("label", `${name}: ${form}`,
        make("textarea", { value: exampleText(parseTensor(form)), spellcheck: false, rows: 2 }))),
    });
    for (const [index, name] of Object.keys(inputs).entries()) fields()[index].dataset.input = name;
    showLines(`v2/models/${model}/infer`, request());
  }

  part.signature.onchange = showSignature;
  part.tensorRun.onclick = run;
  return (card) => {
    run.stop();
    model = card.model.name;
    signatures = card.signatures;
    const names = Object.keys(signatures).sort((one, other) => (other === "serving_default") - (one === "serving_default"));
    show({ signature: names.map((name) => make("option", { value: name }, name)) });
    part.signature.closest("label").hidden = names.length < 2;
    showSignature();
  };
}

function outputRow({ name, datatype, shape, data }) {
  const text = (value) => (typeof value === "number" && !Number.isInteger(value) ? value.toPrecision(5) : String(value));
  const more = data.length > MOST_SHOWN ? ` … ${data.length - MOST_SHOWN} more` : "";
  return make("div", make("dt", `${name}: ${datatype} [${shape.join(", ")}]`),
    make("dd", data.slice(0, MOST_SHOWN).map(text).join(", ") + more));
}
