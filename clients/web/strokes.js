/** Strokes, lists of points [x, y] in the unit square, and how they become ink. */

const PEN_WIDTH = 0.075; // of the side: about what a digit of the training set has
const IMAGE_SIDE = 280;

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

/** Strokes → a PNG, black on white. Encoded here and now: Chromium's `toBlob` waits for an idle moment, up to a second. */
export function strokesToPng(strokes) {
  const canvas = Object.assign(document.createElement("canvas"), { width: IMAGE_SIDE, height: IMAGE_SIDE });
  const context = canvas.getContext("2d");
  context.fillStyle = "white";
  context.fillRect(0, 0, IMAGE_SIDE, IMAGE_SIDE);
  paintStrokes(context, strokes, "black");
  const bytes = Uint8Array.from(atob(canvas.toDataURL("image/png").split(",")[1]), (character) => character.charCodeAt(0));
  return new Blob([bytes], { type: "image/png" });
}

const NEAR = 0.012; // points nearer than this to the one before are left out of an address

/** Strokes → "0a1b…~…": four characters of base 36 a point, a tilde between strokes. */
export function formatStrokes(strokes) {
  const text = (value) => Math.round(Math.min(1, Math.max(0, value)) * 1295).toString(36).padStart(2, "0");
  return strokes.map((points) => {
    let last = null;
    return points.filter((point, index) => {
      const isKept = !last || index === points.length - 1 || Math.hypot(point[0] - last[0], point[1] - last[1]) >= NEAR;
      if (isKept) last = point;
      return isKept;
    }).map((point) => point.map(text).join("")).join("");
  }).join("~");
}

/** The same backwards; what is no such text gives no strokes. */
export function parseStrokes(text) {
  if (!/^([0-9a-z]{4})+(~([0-9a-z]{4})+)*$/.test(text)) return [];
  return text.split("~").map((stroke) => stroke.match(/..../g).map((point) => [point.slice(0, 2), point.slice(2)].map((each) =>
    Number.parseInt(each, 36) / 1295)));
}
