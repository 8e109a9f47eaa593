/** Strokes, lists of points [x, y] in the unit square, and how they become ink. */

const PEN_WIDTH = 0.075; // of the side: about what a digit of the training set has
const PICTURE_SIDE = 280;

/** Paints on a square canvas; `share`: how much of it is drawn yet. */
export function paintStrokes(context, strokes, color, share = 1) {
  const side = context.canvas.width;
  Object.assign(context, { lineWidth: side * PEN_WIDTH, lineCap: "round", lineJoin: "round", strokeStyle: color });
  let left = Math.ceil(share * strokes.flat().length);
  for (const stroke of strokes) {
    if (left > 0) paintStroke(context, stroke.slice(0, left).map(([x, y]) => [x * side, y * side]));
    left -= stroke.length;
  }
}

/** Curves between the middles of neighbours. */
function paintStroke(context, points) {
  context.beginPath();
  context.moveTo(...points[0]);
  points.slice(1, -1).forEach(([x, y], index) => {
    const [nextX, nextY] = points[index + 2];
    context.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
  });
  const [x, y] = points.at(-1);
  context.lineTo(x + 0.01, y); // a single point is a dot
  context.stroke();
}

/** Strokes → a PNG, black on white. */
export function strokesToPng(strokes) {
  const canvas = Object.assign(document.createElement("canvas"), { width: PICTURE_SIDE, height: PICTURE_SIDE });
  const context = canvas.getContext("2d");
  context.fillStyle = "white";
  context.fillRect(0, 0, PICTURE_SIDE, PICTURE_SIDE);
  paintStrokes(context, strokes, "black");
  return new Promise((resolve) => canvas.toBlob(resolve));
}

/** The faint 3 that invites. */
export function sampleStrokes() {
  const bow = (y, rx, ry, from, to) => Array.from({ length: 25 }, (_, index) => {
    const angle = ((from + (index / 24) * (to - from)) * Math.PI) / 180;
    return [0.49 + rx * Math.cos(angle), y + ry * Math.sin(angle)];
  });
  return [[...bow(0.335, 0.15, 0.135, -155, 80), ...bow(0.64, 0.185, 0.17, -80, 150)]];
}
