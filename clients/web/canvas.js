/** The drawing area: mouse, touch, pen and keyboard → strokes. Knows no service. */

import { paintStrokes, sampleStrokes, strokesToPng } from "./strokes.js";

const SAMPLE_MS = 1200;
const KEY_STEP = 1 / 28;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * Fires `ink` for every change of the drawing, `lift` when a stroke has ended, `empty` when nothing
 * is left.
 */
export class Pad extends EventTarget {
  #strokes = [];
  #sample = null;
  #sampleShare = 1;
  #picture = null;
  #stroke = null;
  #cursor = { x: 0.35, y: 0.25 };
  #frame = 0;

  constructor(canvas) {
    super();
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.#listen();
    new ResizeObserver(() => this.#resize()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#repaint());
  }

  get isEmpty() {
    return this.#strokes.length === 0 && this.#picture === null;
  }

  /** The drawing, or the sample while there is none, as a PNG. */
  toPng() {
    return strokesToPng(this.#sample ?? this.#strokes);
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

  /** Show a picture instead of a drawing. */
  showPicture(picture) {
    this.#forget();
    this.#picture = picture;
    this.#repaint();
  }

  /** Take everything away. */
  clear() {
    this.#forget();
    this.#repaint();
    this.#tell("empty");
  }

  /** Take the last stroke away. */
  undo() {
    if (this.#strokes.length < 2) return this.clear();
    this.#endStroke();
    this.#strokes.pop();
    this.#repaint();
    this.#tell("ink");
    this.#tell("lift");
  }

  #forget() {
    this.#picture?.close();
    this.#strokes = [];
    this.#sample = this.#picture = this.#stroke = null;
  }

  #listen() {
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
    if (event.altKey || ((event.ctrlKey || event.metaKey) && event.key !== "z")) return;
    if (event.key in ARROWS) this.#moveCursor(...ARROWS[event.key]);
    else if (event.key === " ") event.repeat || this.#togglePen();
    else if (event.key === "Escape" || event.key === "Delete") this.clear();
    else if (event.key === "z" && (event.ctrlKey || event.metaKey)) this.undo();
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
    if (this.#picture || this.#sample) this.#forget();
    this.#stroke = [point];
    this.#strokes.push(this.#stroke);
    this.#repaint();
    this.#tell("ink");
  }

  #extendStroke(points) {
    this.#stroke.push(...points);
    this.#cursor = this.#stroke[this.#stroke.length - 1];
    this.#repaint();
    this.#tell("ink");
  }

  #endStroke() {
    if (!this.#stroke) return;
    this.#stroke = null;
    this.#tell("lift");
  }

  #tell(what) {
    this.dispatchEvent(new Event(what));
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
    if (this.#picture) paintPicture(context, this.#picture, side);
    if (this.#sample) {
      context.globalAlpha = 0.2;
      paintStrokes(context, this.#sample, { side, color, share: this.#sampleShare });
      context.globalAlpha = 1;
    }
    paintStrokes(context, this.#strokes, { side, color });
    if (canvas.matches(":focus-visible")) this.#paintCursor(side, color);
  }

  #paintCursor(side, color) {
    const { context } = this;
    context.lineWidth = side / 160;
    context.strokeStyle = color;
    context.globalAlpha = this.#stroke ? 1 : 0.5;
    context.beginPath();
    context.arc(this.#cursor.x * side, this.#cursor.y * side, side * 0.05, 0, 2 * Math.PI);
    context.stroke();
    context.globalAlpha = 1;
  }
}

function paintPicture(context, picture, side) {
  const scale = Math.min(side / picture.width, side / picture.height);
  const [width, height] = [picture.width * scale, picture.height * scale];
  context.imageSmoothingEnabled = scale < 2;
  context.drawImage(picture, (side - width) / 2, (side - height) / 2, width, height);
}
