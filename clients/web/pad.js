/** The drawing area: mouse, touch, pen, keyboard, or a file → a picture. Knows no service. */

import { paintStrokes, sampleStrokes, strokesToPng } from "./strokes.js";

const SAMPLE_MS = 1200;
const KEY_STEP = 1 / 28;
export const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** `part`: those of the template; `onChange` is called after every change of the drawing. */
export function createPad(part, onChange) {
  const { canvas, paper } = part;
  const context = canvas.getContext("2d");
  let strokes = [];
  let isSample = false;
  let share = 1; // of the sample that is drawn yet
  let file = null;
  let bitmap = null; // what the file shows
  let stroke = null; // under way
  let cursor = [0.35, 0.25];
  let frame = 0;

  const pad = {
    get isEmpty() { return !strokes.length && !file; },
    get isSample() { return isSample; },
    /** The file, or the drawing as a PNG. */
    toPicture: async () => file ?? strokesToPng(strokes),
    showSample,
  };

  function changed() {
    part.invitation.hidden = !pad.isEmpty;
    repaint();
    onChange();
  }

  function forget() {
    bitmap?.close();
    strokes = [];
    isSample = false;
    file = bitmap = stroke = null;
  }

  function clear() {
    forget();
    changed();
  }

  function undo() {
    if (strokes.length < 2) return clear();
    stroke = null;
    strokes.pop();
    changed();
  }

  async function open(chosen) {
    if (!chosen || !canvas.clientWidth) return; // another room is open
    const shown = await createImageBitmap(chosen).catch(() => null); // the service says what is wrong
    forget();
    file = chosen;
    bitmap = shown;
    changed();
  }

  /** As drawn by hand, unless the reader prefers stillness. */
  function showSample() {
    strokes = sampleStrokes();
    isSample = true;
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return repaint();
    const began = performance.now();
    const step = (now) => {
      share = Math.min(1, Math.max(0.02, (now - began) / SAMPLE_MS));
      paint();
      if (isSample && share < 1) requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  function begin(point) {
    if (file || isSample) forget();
    stroke = [point];
    strokes.push(stroke);
    changed();
  }

  function extend(...points) {
    stroke.push(...points);
    cursor = points.at(-1);
    changed();
  }

  function end() {
    stroke = null;
  }

  function pointOf({ clientX, clientY }) {
    const { left, top, width, height } = canvas.getBoundingClientRect();
    return [(clientX - left) / width, (clientY - top) / height];
  }

  function moveCursor(step) {
    const moved = cursor.map((value, axis) => Math.min(0.95, Math.max(0.05, value + step[axis] * KEY_STEP)));
    if (stroke) return extend(moved);
    cursor = moved;
    repaint();
  }

  function press(event) {
    const { key } = event;
    const isUndo = key === "z" && (event.ctrlKey || event.metaKey);
    if (event.altKey || ((event.ctrlKey || event.metaKey) && !isUndo)) return;
    if (isUndo) undo();
    else if (key in ARROWS) moveCursor(ARROWS[key]);
    else if (key === " ") event.repeat || (stroke ? end() : begin(cursor));
    else if (key === "Escape" || key === "Delete") clear();
    else return;
    event.preventDefault();
  }

  function repaint() {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(paint);
  }

  function paint() {
    const side = canvas.width;
    context.clearRect(0, 0, side, side);
    if (bitmap) { // as large as it fits, and crisp where it is enlarged
      const scale = side / Math.max(bitmap.width, bitmap.height);
      const [width, height] = [bitmap.width * scale, bitmap.height * scale];
      context.imageSmoothingEnabled = scale < 2;
      context.drawImage(bitmap, (side - width) / 2, (side - height) / 2, width, height);
    }
    context.globalAlpha = isSample ? 0.2 : 1;
    paintStrokes(context, strokes, getComputedStyle(canvas).color, isSample ? share : 1);
    if (!canvas.matches(":focus-visible")) return;
    context.globalAlpha = stroke ? 1 : 0.5;
    context.lineWidth = side / 160;
    context.beginPath();
    context.arc(cursor[0] * side, cursor[1] * side, side * 0.05, 0, 2 * Math.PI);
    context.stroke();
  }

  Object.assign(canvas, {
    onkeydown: press,
    onfocus: repaint,
    onblur() { end(); repaint(); },
    onpointerdown(event) {
      if (event.button !== 0 || !event.isPrimary) return;
      try {
        canvas.setPointerCapture(event.pointerId);
      } catch {
        // the pointer is gone already: a tap; its point counts all the same
      }
      begin(pointOf(event));
    },
    onpointermove(event) {
      if (!stroke || !event.isPrimary) return;
      const events = event.getCoalescedEvents?.() ?? [];
      extend(...(events.length ? events : [event]).map(pointOf));
    },
  });
  for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
    canvas.addEventListener(name, (event) => event.isPrimary && end());
  }
  new ResizeObserver(() => {
    const side = Math.round(canvas.clientWidth * devicePixelRatio);
    if (side === canvas.width) return;
    canvas.width = canvas.height = side;
    paint();
  }).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);

  part.clear.onclick = clear;
  part.undo.onclick = undo;
  part.file.onchange = () => { open(part.file.files[0]); part.file.value = ""; };
  addEventListener("paste", (event) => open(event.clipboardData.files[0]));
  addEventListener("drop", (event) => open(event.dataTransfer.files[0]));
  for (const name of ["dragover", "dragleave", "drop"]) {
    addEventListener(name, (event) => {
      event.preventDefault();
      paper.classList.toggle("over", name === "dragover");
    });
  }
  return pad;
}
