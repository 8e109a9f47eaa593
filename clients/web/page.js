/** Wires the page: the drawing goes to the service, its answer into the elements. */

import { newestOnly, Superseded, Unauthorized, Vitrine, VitrineError } from "./api.js";
import { createBars } from "./bars.js";
import { Pad } from "./canvas.js";
import { showLayers, watchOverflow } from "./layers.js";
import { createDebounce, createPacer } from "./pace.js";
import { showTiming } from "./timing.js";
import { curlCommand, percent, sentence, waitingSentence } from "./words.js";

const SETTLED_MS = 400; // without a new stroke: announce the answer, look into the layers

const $ = (id) => document.getElementById(id);
const pad = new Pad($("canvas"));
const bars = createBars($("bars"));
const vitrine = new Vitrine();
const newestAnswer = newestOnly();
const newestLayers = newestOnly();
const pacer = createPacer(classify);
const settled = createDebounce(settle, SETTLED_MS);

let upload = null; // the file that is shown instead of a drawing
let isSample = true;
let latest = null; // { picture, prediction }: what the page shows now

async function classify() {
  try {
    const shown = await newestAnswer(async (signal) => {
      const picture = upload ?? (await pad.toPng());
      return { picture, ...(await vitrine.classifyDigit(picture, { signal, onWait })) };
    });
    showAnswer(shown);
    return true;
  } catch (error) {
    if (error instanceof Superseded) return false;
    showError(error);
    return true;
  }
}

function onWait(seconds, error) {
  setStale(true);
  showNote(waitingSentence(seconds, error));
}

function showAnswer(answer) {
  const [prediction] = answer.body.predictions;
  const { name, version } = answer.body.model;
  latest = { picture: answer.picture, prediction };
  $("digit").textContent = String(prediction.digit);
  $("certainty").textContent = percent(prediction.probability);
  $("caption").textContent = isSample ? `a sample, read by ${name}/${version}` : `read by ${name}/${version}`;
  bars.show(prediction.probabilities);
  setStale(false);
  showNote(prediction.outlier ? "This is probably no digit. The network has to name one all the same." : "");
  $("key-form").hidden = true;
  showInput(prediction.input);
  $("timing").hidden = answer.timing.length === 0;
  showTiming({ bar: $("timing-bar"), legend: $("timing-legend") }, answer);
  showRequest(answer.picture);
  settled.push();
}

function showInput(input) {
  $("seen").hidden = !input;
  if (!input) return;
  $("seen").src = input.image;
  $("seen").alt = "The picture of 28 by 28 pixels that the model saw";
  $("steps").replaceChildren(...input.steps.map((step) => {
    const item = document.createElement("li");
    item.textContent = step;
    return item;
  }));
}

function showRequest(picture) {
  const url = new URL("v1/digits/classify?return=input", document.baseURI).href;
  $("curl").textContent = curlCommand(url, { file: upload?.name || "digit.png", withKey: Boolean(vitrine.key) });
  $("save").hidden = !picture || Boolean(upload);
  if (!picture) return;
  URL.revokeObjectURL($("save").href);
  $("save").href = URL.createObjectURL(picture);
}

function showError(error) {
  setStale(true);
  showNote(error instanceof VitrineError ? sentence(error.message) : "This page made a mistake. Please reload it.");
  if (!(error instanceof VitrineError)) console.error(error);
  settled.push();
  if (!(error instanceof Unauthorized)) return;
  $("key-form").hidden = false;
  if (vitrine.key) $("key").select();
}

function setStale(isStale) {
  for (const id of ["digit", "certainty", "bars"]) $(id).classList.toggle("stale", isStale);
}

function showNote(text) {
  $("note").textContent = text;
  $("note").hidden = text === "";
}

async function settle() {
  const { textContent: note } = $("note");
  if ($("digit").classList.contains("stale") || !latest) {
    $("live").textContent = note;
    return;
  }
  const { picture, prediction } = latest;
  if (!isSample) {
    $("live").textContent = `The model reads ${prediction.digit}, ${percent(prediction.probability)}. ${note}`;
  }
  try {
    const { body } = await newestLayers((signal) => vitrine.digitActivations(picture, { signal }));
    showLayers($("strip"), prediction.input?.image ?? "", body.layers);
    $("layers-caption").textContent =
      `The same picture in ${body.model.name}/${body.model.version}: lighter means more.`;
    $("layers").hidden = false;
  } catch (error) {
    if (!(error instanceof Superseded)) $("layers").hidden = true;
  }
}

function beginDrawing() {
  upload = null;
  isSample = false;
  $("invitation").hidden = true;
}

function forgetAnswer() {
  beginDrawing();
  pacer.cancel();
  settled.cancel();
  for (const newest of [newestAnswer, newestLayers]) newest(async () => {});
  latest = null;
  $("invitation").hidden = false;
  $("digit").textContent = "–";
  $("certainty").textContent = $("caption").textContent = "\u00a0";
  bars.clear();
  setStale(false);
  showNote("");
  $("seen").hidden = $("timing").hidden = $("layers").hidden = true;
  $("steps").replaceChildren();
  showRequest(null);
}

async function openPicture(file) {
  if (!file) return;
  const bitmap = await createImageBitmap(file).catch(() => null); // the service says what is wrong
  beginDrawing();
  upload = file;
  pad.showPicture(bitmap);
  pacer.push();
}

async function copyCommand() {
  try {
    await navigator.clipboard.writeText($("curl").textContent);
  } catch { // no clipboard without https: select it, so that two keys copy it
    getSelection().selectAllChildren($("curl"));
    document.execCommand("copy");
  }
  $("copy").textContent = "Copied";
  setTimeout(() => { $("copy").textContent = "Copy"; }, 1500);
}

function listen() {
  pad.addEventListener("ink", () => { beginDrawing(); settled.cancel(); pacer.push(); });
  pad.addEventListener("lift", () => pacer.push());
  pad.addEventListener("empty", forgetAnswer);
  $("clear").addEventListener("click", () => pad.clear());
  $("undo").addEventListener("click", () => pad.undo());
  $("copy").addEventListener("click", copyCommand);
  $("file").addEventListener("change", ({ target }) => { openPicture(target.files[0]); target.value = ""; });
  $("key-form").addEventListener("submit", (event) => {
    event.preventDefault();
    vitrine.key = $("key").value.trim();
    pacer.push();
  });
  addEventListener("paste", (event) => openPicture(event.clipboardData.files[0]));
  addEventListener("dragover", (event) => { event.preventDefault(); $("paper").classList.add("over"); });
  addEventListener("dragleave", () => $("paper").classList.remove("over"));
  addEventListener("drop", (event) => {
    event.preventDefault();
    $("paper").classList.remove("over");
    openPicture(event.dataTransfer.files[0]);
  });
}

listen();
watchOverflow($("strip"));
showRequest(null);
pad.showSample();
pacer.push();
