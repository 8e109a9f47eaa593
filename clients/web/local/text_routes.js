/** `/v1/text/*`: a few characters a run, so that the page answers in between. */

import { InvalidValue } from "./errors.js";
import { base64 } from "./images.js";
import { seedOf, wholeNumber } from "./latents.js";
import { uniforms } from "./random_streams.js";
import { column } from "./request_images.js";

const TASK = "generate_text";
const [FIRST_CHUNK, CHUNK] = [2, 8]; // characters
const MOST_CHARACTERS = 20_000; // of all texts of a request
const GREEDY = 1e-4; // a diversity below is as good as 0
const FIELDS = ["seed", "diversity", "length", "random_seed", "top_k", "top_p", "logprobs", "stream", "unknown", "continuation"];

async function score(call) {
  const model = await call.model("text", TASK);
  const { ids, replaced } = read(model, call.json.text, "text", call.json.unknown);
  const { logprobs } = await readIds(model, model.beginning, ids);
  const nats = -logprobs.reduce((sum, each) => sum + each, 0) / logprobs.length;
  return { model: model.reference, nats_per_character: nats, bits_per_character: nats / Math.LN2, replaced,
    characters: logprobs.map((logprob, index) => ({ character: model.vocabulary[ids[index]], logprob: sixDecimals(logprob) })) };
}

const sixDecimals = (value) => Math.round(value * 1e6) / 1e6;

/** Characters → token ids; a space stands in for what the model has never seen, where that is wanted. */
function read(model, text, field, unknown) {
  const lines = model.vocabulary.includes("\r") ? text : text.replaceAll(/\r\n?/g, "\n");
  const characters = Array.from(lines);
  const places = new Map(model.vocabulary.map((character, index) => [character, index]));
  const replaced = [...new Set(characters.filter((character) => !places.has(character)))];
  if (replaced.length && unknown !== "replace") throw new InvalidValue(`${field} must have only characters of the model's training text, got ${JSON.stringify(replaced[0])}: remove it`);
  return { ids: characters.map((character) => places.get(character) ?? places.get(" ") ?? 0), replaced };
}

async function readIds(model, state, ids) {
  const logprobs = [];
  for (let first = 0; first < ids.length; first += model.steps) {
    const part = Int32Array.from(ids.slice(first, first + model.steps));
    const outputs = await model.run("read", { state: { data: Float32Array.from(state), shape: [1, state.length] },
      token_ids: { data: part, shape: [1, part.length] }, lengths: column([part.length], Int32Array) });
    logprobs.push(...outputs.logprobs.data);
    state = outputs.state.data;
  }
  return { state, logprobs };
}

async function generate(call) {
  const other = Object.keys(call.json).find((name) => !FIELDS.includes(name));
  if (other) throw new InvalidValue(`${other} must be left out on this page, a service knows it`);
  const model = await call.model("text", TASK);
  const request = await requestOf(model, call.json);
  if (call.json.stream) return streamed(call, model, request);
  const written = request.texts.map(() => []);
  for await (const rows of chunks(model, request)) rows.forEach((row, index) => written[index].push(...row));
  return { model: model.reference, random_seed: request.seed, replaced: request.replaced,
    generations: request.texts.map((text, index) => ({ text: written[index].map(({ character }) => character).join(""), diversity: text.diversity,
      finish_reason: "length", continuation: tokenOf(model, request, index), ...request.noted && { logprobs: written[index] } })) };
}

async function requestOf(model, json) {
  const [noted, length] = [wholeNumber("logprobs", json.logprobs, 0, 5, 0), wholeNumber("length", json.length, 1, 10_000, 400)];
  if (json.continuation) return { ...resumed(model, json), noted, length };
  const { ids, replaced } = read(model, json.seed ?? "", "seed", json.unknown);
  const { state } = await readIds(model, model.beginning, ids);
  const diversities = [json.diversity ?? 0.5].flat();
  if (length * diversities.length > MOST_CHARACTERS) throw new InvalidValue(`length × texts must be at most ${MOST_CHARACTERS} characters, got ${length} × ${diversities.length}`);
  return { seed: seedOf(json.random_seed), replaced, noted, length, topK: json.top_k ?? 0, topP: json.top_p ?? 1,
    texts: diversities.map((diversity, number) => ({ diversity, number, state, position: 0 })) };
}

/** Characters of all texts, a chunk at a time; each text's state advances. */
async function* chunks(model, request) {
  const { texts, seed, length, topK, topP, noted } = request;
  const size = texts[0].state.length;
  for (let done = 0, chunk = FIRST_CHUNK; done < length; done += chunk, chunk = CHUNK) {
    chunk = Math.min(chunk, length - done);
    const join = (Kind, lists) => Kind.from(lists.flatMap((list) => Array.from(list)));
    const outputs = await model.run("generate", {
      state: { data: join(Float32Array, texts.map(({ state }) => state)), shape: [texts.length, size] },
      uniforms: { data: join(Float32Array, texts.map(({ number, position }) => uniforms(seed, number, position, chunk))), shape: [texts.length, chunk] },
      lengths: column(texts.map(() => chunk), Int32Array),
      temperature: column(texts.map(({ diversity }) => (diversity >= GREEDY ? diversity : 0))),
      top_k: column(texts.map(() => topK), Int32Array),
      top_p: column(texts.map(() => topP)),
    });
    texts.forEach((text, row) => Object.assign(text,
      { state: outputs.state.data.slice(row * size, (row + 1) * size), position: text.position + chunk }));
    yield texts.map((_, row) => Array.from({ length: chunk }, (__, step) => noteOf(model, outputs, row * chunk + step, noted)));
    await new Promise((resolve) => { setTimeout(resolve); }); // the page paints
  }
}

function noteOf({ vocabulary }, { token_ids: ids, logprobs, top_ids: topIds, top_logprobs: topLogprobs }, place, noted) {
  const width = topIds.shape.at(-1);
  const top = Array.from({ length: noted }, (_, rank) =>
    [vocabulary[topIds.data[place * width + rank]], sixDecimals(topLogprobs.data[place * width + rank])]);
  return { character: vocabulary[ids.data[place]], logprob: sixDecimals(logprobs.data[place]), top: Object.fromEntries(top) };
}

function streamed(call, model, request) {
  let isOver = false;
  const body = new ReadableStream({
    async start(controller) {
      const send = (event) => controller.enqueue(new TextEncoder().encode(`data: ${typeof event === "string" ? event : JSON.stringify(event)}\n\n`));
      try {
        for await (const rows of chunks(model, request)) {
          if (isOver || call.signal?.aborted) return;
          rows.forEach((row, index) => send({ index, text: row.map(({ character }) => character).join(""), ...request.noted && { logprobs: row } }));
        }
        request.texts.forEach((_, index) => send({ index, finish_reason: "length", random_seed: request.seed,
          continuation: tokenOf(model, request, index), replaced: request.replaced }));
        send("[DONE]");
        controller.close();
      } catch (error) {
        controller.error(error);
      }
    },
    cancel() { isOver = true; },
  });
  return new Response(body, { headers: { "Content-Type": "text/event-stream" } });
}

/** Where a text stands, to go on from: of this page, not of a service. */
function tokenOf({ name, version }, { seed, topK, topP, texts }, index) {
  const { state, ...text } = texts[index];
  return btoa(JSON.stringify({ name, version, seed, topK, topP, ...text, state: base64(new Uint8Array(Float32Array.from(state).buffer)) }));
}

function resumed(model, { continuation, diversity }) {
  let token = null;
  try {
    token = JSON.parse(atob(continuation));
  } catch { /* it is none */ }
  if (token?.name !== model.name || token.version !== model.version) throw new InvalidValue("continuation must be one that this page gave for this model, got another");
  const bytes = Uint8Array.from(atob(token.state), (character) => character.charCodeAt(0));
  const text = { number: token.number, position: token.position, diversity: diversity ?? token.diversity, state: new Float32Array(bytes.buffer) };
  return { seed: token.seed, topK: token.topK, topP: token.topP, replaced: [], texts: [text] };
}

export default { "text/generate": generate, "text/score": score };
