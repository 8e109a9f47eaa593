/** A photo → the image a network takes: its centre, resized as `tf.image.resize` does it. As the service does it. */

import { rounded } from "./filters.js";

const ROUNDING = 1e-6; // 0.1 · 30 is a little less than 3

/**
 * Cuts out the centre and resizes it. `pixels`: { width, height, channels, data }, row by row; `input`: a manifest's.
 * Bytes [height, width, channels], row by row, and the steps taken.
 */
export function fitPhoto(pixels, { height, width, channels, crop = 1 }) {
  const box = boxOf(pixels, height / width, crop);
  const steps = box.width === pixels.width && box.height === pixels.height ? [] : ["cropped"];
  const isResized = box.width !== width || box.height !== height;
  return { data: resized(pixels, box, width, height, channels), steps: isResized ? [...steps, "resized"] : steps };
}

function boxOf({ width, height }, aspect, crop) {
  const boxHeight = Math.max(1, Math.trunc(crop * Math.min(height, width * aspect) + ROUNDING));
  const boxWidth = Math.max(1, Math.trunc(crop * Math.min(width, height / aspect) + ROUNDING));
  return { top: Math.floor((height - boxHeight + 1) / 2), left: Math.floor((width - boxWidth + 1) / 2), height: boxHeight, width: boxWidth };
}

/** Bilinear between the four nearest pixels, in the arithmetic of 32 bits that the service computes in. */
function resized(pixels, box, width, height, channels) {
  const rows = neighbours(box.height, height);
  const columns = neighbours(box.width, width);
  const bytes = new Uint8Array(height * width * channels);
  const valueAt = (y, x, channel) =>
    pixels.data[((y + box.top) * pixels.width + x + box.left) * pixels.channels + (pixels.channels === 1 ? 0 : channel)];
  let index = 0;
  for (const row of rows) {
    for (const column of columns) {
      for (let channel = 0; channel < channels; channel += 1, index += 1) {
        const [above, below] = [row.first, row.second].map((y) =>
          between(valueAt(y, column.first, channel), valueAt(y, column.second, channel), column.share));
        bytes[index] = rounded(between(above, below, row.share));
      }
    }
  }
  return bytes;
}

const between = (from, to, share) => Math.fround(Math.fround(Math.fround(to - from) * share) + from);

/** For each of `target` pixels: the two of `length` it lies between, and how far from the first. */
function neighbours(length, target) {
  const scale = Math.fround(length / target);
  return Array.from({ length: target }, (_, index) => {
    const place = Math.fround(Math.fround((index + 0.5) * scale) - 0.5);
    const below = Math.floor(place);
    const limited = (value) => Math.min(length - 1, Math.max(0, value));
    return { first: limited(below), second: limited(below + 1), share: Math.fround(place - below) };
  });
}
