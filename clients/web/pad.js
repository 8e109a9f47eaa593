/** The drawing area: mouse, touch, pen, keyboard, or a picture from elsewhere → a picture. Knows no service. */

import { paintPicture, paintStrokes, sampleStrokes, strokesToPng } from "./strokes.js";

const SAMPLE_MS = 1200;
const KEY_STEP = 1 / 28;
export const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Pad {
  #strokes = [];
  #sample = null;
  #sampleShare = 1;
  #upload = null; // a file
  #bitmap = null; // and what it shows
  #stroke = null;
  #cursor = { x: 0.35, y: 0.25 };
  #frame = 0;

  /** `parts`: those of the template; `onChange` is called after every change of the drawing. */
  constructor(parts, onChange) {
    Object.assign(this, { parts, onChange, canvas: parts.canvas, context: parts.canvas.getContext("2d") });
    this.#listenToPens();
    this.#listenToFiles();
    parts.clear.addEventListener("click", () => this.clear());
    parts.undo.addEventListener("click", () => this.#undo());
    new ResizeObserver(() => this.#resize()).observe(this.canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#repaint());
  }

  get isEmpty() {
    return this.#strokes.length === 0 && !this.#upload && !this.#sample;
  }

  get isSample() {
    return this.#sample !== null;
  }

  /** The file, or the drawing as a PNG. */
  async toPicture() {
    return this.#upload ?? strokesToPng(this.#sample ?? this.#strokes);
  }

  /** Draw the sample, as by hand unless the reader prefers stillness. */
  showSample() {
    this.#sample = sampleStrokes();
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return this.#repaint();
    const began = performance.now();
    const step = (now) => {
      this.#sampleShare = Math.min(1, Math.max(0.02, (now - began) / SAMPLE_MS));
      this.#paint();
      if (this.#sample && this.#sampleShare < 1) requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  clear() {
    this.#forget();
    this.#changed();
  }

  #undo() {
    if (this.#strokes.length < 2) return this.clear();
    this.#stroke = null;
    this.#strokes.pop();
    this.#changed();
  }

  #forget() {
    this.#bitmap?.close();
    this.#strokes = [];
    this.#sample = this.#upload = this.#bitmap = this.#stroke = null;
  }

  #changed() {
    this.parts.invitation.hidden = !this.isEmpty;
    this.#repaint();
    this.onChange(this);
  }

  async #open(file) {
    if (!file || !this.canvas.clientWidth) return; // another room is open
    const bitmap = await createImageBitmap(file).catch(() => null); // the service says what is wrong
    this.#forget();
    this.#upload = file;
    this.#bitmap = bitmap;
    this.#changed();
  }

  #listenToFiles() {
    const { paper, file } = this.parts;
    const isOver = (yes) => (event) => { event.preventDefault(); paper.classList.toggle("over", yes); };
    file.addEventListener("change", () => { this.#open(file.files[0]); file.value = ""; });
    addEventListener("paste", (event) => this.#open(event.clipboardData.files[0]));
    addEventListener("dragover", isOver(true));
    addEventListener("dragleave", isOver(false));
    addEventListener("drop", isOver(false));
    addEventListener("drop", (event) => this.#open(event.dataTransfer.files[0]));
  }

  #listenToPens() {
    const { canvas } = this;
    canvas.addEventListener("pointerdown", (event) => this.#pointerDown(event));
    canvas.addEventListener("pointermove", (event) => this.#pointerMove(event));
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
      canvas.addEventListener(end, (event) => event.isPrimary && this.#endStroke());
    }
    canvas.addEventListener("keydown", (event) => this.#keyDown(event));
    canvas.addEventListener("focus", () => this.#repaint());
    canvas.addEventListener("blur", () => { this.#endStroke(); this.#repaint(); });
  }

  #pointerDown(event) {
    if (event.button !== 0 || !event.isPrimary) return;
    try {
      this.canvas.setPointerCapture(event.pointerId);
    } catch {
      // the pointer is gone already: a tap; its point counts all the same
    }
    this.#beginStroke(this.#pointOf(event));
  }

  #pointerMove(event) {
    if (!this.#stroke || !event.isPrimary) return;
    const events = event.getCoalescedEvents?.() ?? [];
    this.#extendStroke((events.length ? events : [event]).map((each) => this.#pointOf(each)));
  }

  #pointOf(event) {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    return { x: (event.clientX - left) / width, y: (event.clientY - top) / height };
  }

  #keyDown(event) {
    const isUndo = event.key === "z" && (event.ctrlKey || event.metaKey);
    if (event.altKey || ((event.ctrlKey || event.metaKey) && !isUndo)) return;
    if (isUndo) this.#undo();
    else if (event.key in ARROWS) this.#moveCursor(...ARROWS[event.key]);
    else if (event.key === " ") event.repeat || this.#togglePen();
    else if (event.key === "Escape" || event.key === "Delete") this.clear();
    else return;
    event.preventDefault();
  }

  #moveCursor(right, down) {
    const inside = (value) => Math.min(0.95, Math.max(0.05, value));
    const { x, y } = this.#cursor;
    this.#cursor = { x: inside(x + right * KEY_STEP), y: inside(y + down * KEY_STEP) };
    if (this.#stroke) this.#extendStroke([this.#cursor]);
    else this.#repaint();
  }

  #togglePen() {
    if (this.#stroke) this.#endStroke();
    else this.#beginStroke(this.#cursor);
  }

  #beginStroke(point) {
    if (this.#upload || this.#sample) this.#forget();
    this.#stroke = [point];
    this.#strokes.push(this.#stroke);
    this.#changed();
  }

  #extendStroke(points) {
    this.#stroke.push(...points);
    this.#cursor = points.at(-1);
    this.#changed();
  }

  #endStroke() {
    this.#stroke = null;
  }

  #resize() {
    const side = Math.round(this.canvas.clientWidth * devicePixelRatio);
    if (side === this.canvas.width) return;
    this.canvas.width = this.canvas.height = side;
    this.#paint();
  }

  #repaint() {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => this.#paint());
  }

  #paint() {
    const { context, canvas } = this;
    const side = canvas.width;
    const color = getComputedStyle(canvas).color;
    context.clearRect(0, 0, side, side);
    if (this.#bitmap) paintPicture(context, this.#bitmap, side);
    context.globalAlpha = 0.2;
    paintStrokes(context, this.#sample ?? [], { side, color, share: this.#sampleShare });
    context.globalAlpha = 1;
    paintStrokes(context, this.#strokes, { side, color });
    if (canvas.matches(":focus-visible")) this.#paintCursor(side);
  }

  #paintCursor(side) {
    const { context } = this;
    context.lineWidth = side / 160;
    context.globalAlpha = this.#stroke ? 1 : 0.5;
    context.beginPath();
    context.arc(this.#cursor.x * side, this.#cursor.y * side, side * 0.05, 0, 2 * Math.PI);
    context.stroke();
    context.globalAlpha = 1;
  }
}
