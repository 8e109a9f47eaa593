/** The drawing area: mouse, touch, pen, keyboard, camera, an example, or a file → an image. */

import { placeIn, watchArrows } from "./dom.js";
import { createExamples, DIGITS } from "./examples.js";
import { formatStrokes, paintStrokes, parseStrokes, strokesToPng } from "./strokes.js";

const SAMPLE_MS = 1200;
const KEY_STEP = 1 / 28;

let shared = null; // the strokes of the newest drawing of a digit, which every section for digits opens with

/**
 * `part`: those of the template; `onChange` is called after every change of the drawing.
 * `examples`: what can be chosen instead; `remember({ strokes })` is called after every stroke.
 * `isDigit`: whether drawings are shared between sections.
 */
export function createDrawingCanvas(part, onChange, { examples = [], remember = () => {}, isDigit = true } = {}) {
  const { canvas } = part;
  const context = canvas.getContext("2d");
  let drawing = { strokes: [] }; // may be a sample, or a `file` with the `bitmap` that it shows
  let stroke = null; // under way
  let cursor = [0.35, 0.25];
  let frame = 0;
  let opening = null; // the newest image that is being fetched or decoded

  const isEmpty = () => !drawing.strokes.length && !drawing.file;

  function replace(next = { strokes: [] }) {
    opening = null;
    drawing.bitmap?.close();
    drawing = next;
    stroke = null;
  }

  function changed() {
    part.invitation.hidden = !isEmpty();
    repaint();
    onChange();
  }

  function clear() {
    replace();
    changed();
    keep();
  }

  /** Into the address, and for the other sections. */
  function keep() {
    const strokes = drawing.isSample ? [] : drawing.strokes;
    if (isDigit) shared = strokes.length ? structuredClone(strokes) : null;
    remember({ strokes: formatStrokes(strokes) });
  }

  function undo() {
    if (drawing.strokes.length < 2) return clear();
    stroke = null;
    drawing.strokes.pop();
    changed();
    keep();
  }

  /** Shows a file, unless something else is drawn or opened before it is decoded. */
  async function open(file) {
    if (!file || !canvas.clientWidth) return; // another section is open
    opening = file;
    const bitmap = await createImageBitmap(file).catch(() => null); // the service says what is wrong
    if (opening !== file) return void bitmap?.close();
    replace({ strokes: [], file, bitmap });
    changed();
    keep();
  }

  /** Takes an example: strokes, or the address of an image. */
  async function choose(example) {
    const { name, strokes, src } = example;
    if (!strokes) {
      opening = example;
      const blob = await fetch(src).then((response) => response.blob()).catch(() => null); // may be chosen again
      if (opening !== example) return;
      opening = null;
      if (blob) await open(new File([blob], src.split("/").at(-1), { type: "image/jpeg" }));
      return;
    }
    replace({ strokes: structuredClone(strokes), name });
    changed();
    keep();
  }

  function begin(point) {
    if (drawing.file || drawing.isSample) replace();
    stroke = [point];
    drawing.strokes.push(stroke);
    changed();
  }

  function extend(...points) {
    stroke.push(...points);
    cursor = points.at(-1);
    changed();
  }

  function end() {
    if (stroke) keep();
    stroke = null;
  }

  function moveCursor(step) {
    const moved = cursor.map((value, axis) => Math.min(0.95, Math.max(0.05, value + step[axis] * KEY_STEP)));
    if (stroke) return extend(moved);
    cursor = moved;
    repaint();
  }

  function press(event) {
    const { key, repeat } = event;
    if (event.ctrlKey || event.metaKey) {
      if (key !== "z") return;
      undo();
    } else if (key === " ") {
      if (!repeat) (stroke ? end : begin)(cursor);
    } else if (key === "Escape" || key === "Delete") {
      clear();
    } else return;
    event.preventDefault();
  }

  function repaint() {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(paint);
  }

  function paint(now) {
    const side = canvas.width;
    const { strokes, bitmap, isSample } = drawing;
    const share = isSample ? Math.min(1, (now - drawing.began) / SAMPLE_MS) : 1;
    context.globalAlpha = 1;
    context.clearRect(0, 0, side, side);
    if (bitmap) { // as large as it fits, and crisp where it is enlarged
      const scale = side / Math.max(bitmap.width, bitmap.height);
      const [width, height] = [bitmap.width * scale, bitmap.height * scale];
      context.imageSmoothingEnabled = scale < 2;
      context.drawImage(bitmap, (side - width) / 2, (side - height) / 2, width, height);
    }
    context.globalAlpha = isSample ? 0.2 : 1;
    paintStrokes(context, strokes, getComputedStyle(canvas).color, share);
    if (share < 1) repaint();
    if (!canvas.matches(":focus-visible")) return;
    context.globalAlpha = stroke ? 1 : 0.5;
    context.lineWidth = side / 160;
    context.beginPath();
    context.arc(cursor[0] * side, cursor[1] * side, side * 0.05, 0, 2 * Math.PI);
    context.stroke();
  }

  watchArrows(canvas, moveCursor);
  Object.assign(canvas, { onkeydown: press, onfocus: repaint, onblur() { end(); repaint(); } });
  canvas.onpointerdown = (event) => {
    if (event.button === 0 && event.isPrimary) begin(placeIn(canvas, event));
  };
  addEventListener("pointermove", (event) => { // outside too
    if (!stroke || !event.buttons || !event.isPrimary) return;
    const events = event.getCoalescedEvents?.() ?? [];
    extend(...(events.length ? events : [event]).map((each) => placeIn(canvas, each)));
  });
  for (const name of ["pointerup", "pointercancel"]) addEventListener(name, (event) => event.isPrimary && end());
  new ResizeObserver(() => {
    canvas.width = canvas.height = Math.round(canvas.clientWidth * devicePixelRatio);
    repaint();
  }).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);

  part.clear.onclick = clear;
  part.undo.onclick = undo;
  for (const input of [part.file, part.photo]) input.onchange = () => { open(input.files[0]); input.value = ""; };
  const hasCamera = isSecureContext && navigator.mediaDevices?.getUserMedia;
  part.camera.hidden = !hasCamera;
  part.noCamera.hidden = isSecureContext;
  part.camera.onclick = async () => {
    const { takePhoto } = await import("./camera.js").catch(() => ({}));
    part.cameraNote.hidden = Boolean(takePhoto);
    if (!takePhoto) return void part.cameraNote.replaceChildren("The camera's part of the page did not arrive. Try it again once the service answers.");
    part.camera.disabled = true; // one at a time
    open(await takePhoto(part.paper, part.cameraNote));
    part.camera.disabled = false;
  };
  createExamples(part.examples, examples, choose);
  addEventListener("paste", (event) => open(event.clipboardData.files[0]));
  addEventListener("drop", (event) => open(event.dataTransfer.files[0]));
  for (const name of ["dragover", "dragleave", "drop"]) {
    addEventListener(name, (event) => {
      event.preventDefault();
      part.paper.classList.toggle("over", name === "dragover");
    });
  }

  return {
    get isEmpty() { return isEmpty(); },
    get isSample() { return Boolean(drawing.isSample); },
    /** The file, or the drawing as a PNG. */
    toImage: async () => drawing.file ?? strokesToPng(drawing.strokes),
    /** Takes an example where there is nothing yet, and nothing on its way. */
    suggest: (example) => void (isEmpty() && !opening && choose(example)),
    /** What the address says, or else what was drawn last, or else a sample; what is there already stays. */
    restore(state) {
      const strokes = parseStrokes(state.get("strokes") ?? "");
      if (strokes.length) replace({ strokes });
      else if (isDigit && shared && (isEmpty() || drawing.isSample)) replace({ strokes: structuredClone(shared) });
      else if (isDigit && isEmpty()) return this.showSample();
      part.invitation.hidden = !isEmpty();
      if (strokes.length || !isEmpty()) keep();
      return repaint();
    },
    /** Drawn as by hand, unless the reader prefers stillness. */
    showSample() {
      const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
      drawing = { strokes: DIGITS[3].strokes, isSample: true, began: isStill ? -Infinity : performance.now() };
      repaint();
    },
  };
}
