/** Which blobs of ink are the one digit: strokes of it, specks beside it, or another digit. As the service does it. */

import { components, mapped, maximum } from "./filters.js";
import { InvalidImage } from "./errors.js";

const MOST_BLOBS = 64;
// Shares of the height of all ink together, unless the name says otherwise.
const BREAK = 0.07; // strokes this near to each other are one
const TALL = 0.67; // what is lower is a stroke rather than a digit
const STROKE_GAP = 0.12; // how far the boxes of such strokes may be apart
const PART_HEIGHT = 0.3; // what is lower than this is a bar or a dot, never a digit
const PART_GAP = 0.25; // how far above or below such a part may be
const OVERLAP = 0.4; // of the narrower width: this much above each other
const OVERLAP_TALL = 0.7; // of the narrower width
const DIGIT_HEIGHT = 0.45; // of the tallest group: a digit of its own
const SPECK_AREA = 0.01; // of the largest blob
const PART_AREA = 0.1; // of the largest group

/** A mask, cut to its ink → the same without specks, null if there are none; InvalidImage: there are several digits. */
export function digitStrokes(mask, isPhoto) {
  const { labels, components: found } = components(mask);
  if (found.length === 1) return null;
  const largest = Math.max(...found.map(({ area }) => area));
  const blobs = [...found].sort((one, other) => other.area - one.area || one.number - other.number).slice(0, MOST_BLOBS)
    .filter(({ area }) => area > SPECK_AREA * largest).map(({ number, ...box }) => ({ ...box, blobs: [number] }));
  const height = Math.max(...blobs.map(({ bottom }) => bottom)) - Math.min(...blobs.map(({ top }) => top));
  const groups = joinedAll(nearlyTouching(blobs, labels, height), height);
  const digit = groups.reduce((best, group) => (group.area > best.area ? group : best));
  refuseSeveral(groups, digit, isPhoto);
  const kept = new Set(groups.filter((group) => isPart(group, digit)).flatMap((group) => group.blobs));
  return kept.size === found.length ? null : mapped(labels, (label) => Number(kept.has(label)), Uint8Array);
}

function joined(one, other) {
  const [top, bottom] = [Math.min(one.top, other.top), Math.max(one.bottom, other.bottom)];
  return { top, bottom, height: bottom - top, left: Math.min(one.left, other.left), right: Math.max(one.right, other.right),
    area: one.area + other.area, blobs: [...one.blobs, ...other.blobs] };
}

/** Blobs whose distance is at most BREAK: grown by half of it, they touch. */
function nearlyTouching(blobs, labels, height) {
  const reach = Math.max(1, Math.trunc(BREAK * height / 2));
  const wanted = new Set(blobs.map(({ blobs: [number] }) => number));
  const grown = components(maximum(mapped(labels, (label) => Number(wanted.has(label)), Uint8Array), reach)).labels;
  const groups = new Map();
  for (const blob of blobs) {
    const row = blob.top * labels.width;
    let x = blob.left;
    while (labels.data[row + x] !== blob.blobs[0]) x += 1;
    const cluster = grown.data[row + x];
    groups.set(cluster, groups.has(cluster) ? joined(groups.get(cluster), blob) : blob);
  }
  return [...groups.values()];
}

/** Joins groups that belong together until none is left to join. */
function joinedAll(groups, height) {
  const done = [];
  for (const each of groups) {
    let group = each;
    for (let partner; (partner = done.findIndex((other) => belong(group, other, height))) >= 0;) {
      group = joined(group, done.splice(partner, 1)[0]);
    }
    done.push(group);
  }
  return done;
}

const gaps = (one, other) => [Math.max(one.left, other.left) - Math.min(one.right, other.right),
  Math.max(one.top, other.top) - Math.min(one.bottom, other.bottom)];

/** Whether two groups are strokes of one digit: near, above each other or one in the other. */
function belong(one, other, height) {
  const [across, down] = gaps(one, other);
  const narrower = Math.min(one.right - one.left, other.right - other.left);
  const lower = Math.min(one.height, other.height);
  if (lower < PART_HEIGHT * height && down <= PART_GAP * height) {
    return -across > OVERLAP * narrower || across <= STROKE_GAP * height;
  }
  if (lower < TALL * height) return Math.max(across, down) <= STROKE_GAP * height;
  return -across > OVERLAP_TALL * narrower; // tall groups in the same rows are one only if one is around the other
}

function refuseSeveral(groups, digit, isPhoto) {
  const large = groups.filter(({ area }) => area >= PART_AREA * digit.area);
  const tallest = Math.max(...large.map(({ height }) => height));
  const count = large.filter(({ height }) => height >= DIGIT_HEIGHT * tallest).length;
  if (count < 2) return;
  throw new InvalidImage(isPhoto
    ? `the image must show one digit on a plain background, got ${count} separate digits or other things, as in a photo: crop the image to one digit`
    : `the image must show one digit, got ${count} separate digits: send one digit per image`);
}

/** Whether a group is the digit or so near that it belongs to it. */
function isPart(group, digit) {
  const isNear = Math.max(...gaps(group, digit)) <= PART_GAP * digit.height;
  return group === digit || (isNear && group.area >= SPECK_AREA * digit.area);
}
