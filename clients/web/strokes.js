/** Strokes as lists of points {x, y} in the unit square, and how they become ink. */

const PEN_WIDTH = 0.075; // of the side: about what a digit of the training set has
const PICTURE_SIDE = 280;

/** Paints on a canvas; `share`: how much of it is drawn yet. */
export function paintStrokes(context, strokes, { side, color, share = 1 }) {
  Object.assign(context, { lineWidth: side * PEN_WIDTH, lineCap: "round", lineJoin: "round" });
  Object.assign(context, { strokeStyle: color, fillStyle: color });
  let points = Math.ceil(share * strokes.reduce((sum, stroke) => sum + stroke.length, 0));
  for (const stroke of strokes) {
    if (points > 0) paintStroke(context, stroke.slice(0, points), side);
    points -= stroke.length;
  }
}

function paintStroke(context, stroke, side) {
  const [first, ...others] = stroke.map(({ x, y }) => ({ x: x * side, y: y * side }));
  context.beginPath();
  if (others.length === 0) {
    context.arc(first.x, first.y, context.lineWidth / 2, 0, 2 * Math.PI);
    context.fill();
    return;
  }
  context.moveTo(first.x, first.y);
  others.slice(0, -1).forEach((point, index) => { // curves between the middles of neighbours
    const next = others[index + 1];
    context.quadraticCurveTo(point.x, point.y, (point.x + next.x) / 2, (point.y + next.y) / 2);
  });
  const last = others.at(-1);
  context.lineTo(last.x, last.y);
  context.stroke();
}

/** As large as the canvas allows, and crisp where it is enlarged. */
export function paintPicture(context, picture, side) {
  const scale = Math.min(side / picture.width, side / picture.height);
  const [width, height] = [picture.width * scale, picture.height * scale];
  context.imageSmoothingEnabled = scale < 2;
  context.drawImage(picture, (side - width) / 2, (side - height) / 2, width, height);
}

/** Strokes → a PNG, black on white. */
export function strokesToPng(strokes) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = PICTURE_SIDE;
  const context = canvas.getContext("2d");
  context.fillStyle = "white";
  context.fillRect(0, 0, PICTURE_SIDE, PICTURE_SIDE);
  paintStrokes(context, strokes, { side: PICTURE_SIDE, color: "black" });
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

/** The faint 3 that invites. */
export function sampleStrokes() {
  const bow = (y, rx, ry, from, to) => Array.from({ length: 25 }, (_, index) => {
    const angle = ((from + (index / 24) * (to - from)) * Math.PI) / 180;
    return { x: 0.49 + rx * Math.cos(angle), y: y + ry * Math.sin(angle) };
  });
  return [[...bow(0.335, 0.15, 0.135, -155, 80), ...bow(0.64, 0.185, 0.17, -80, 150)]];
}
