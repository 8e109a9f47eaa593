/**
 * What one value of a map is computed from: the filter, the patch below it, and the sum.
 * `filter` is the answer of `/v1/digits/filter`.
 */

import { make } from "./dom.js";

const MOST_SHOWN = 3; // maps below, those that add or take away the most
const CELL = 14; // CSS pixels of one weight
const ADDS = [15, 140, 125];
const TAKES = [214, 92, 40];

/** The window of inputs [H][W][C] that the value at [row, column] reads, [h][w][C]; zeros beyond the edge. */
export function patchAt({ inputs, size, strides, padding }, [row, column]) {
  const nothing = inputs[0][0].map(() => 0);
  const [top, left] = [row * strides[0] - padding[0], column * strides[1] - padding[1]];
  return Array.from({ length: size[0] }, (_, down) => Array.from({ length: size[1] }, (__, right) =>
    inputs[top + down]?.[left + right] ?? nothing));
}

/** What each map below adds to the value at a place, the sum with the bias, and the value itself. */
export function addends(filter, place) {
  const patch = patchAt(filter, place);
  const parts = filter.kernel[0][0].map((_, channel) => filter.kernel.reduce((total, line, row) =>
    total + line.reduce((sum, weights, column) => sum + weights[channel] * patch[row][column][channel], 0), 0));
  const sum = parts.reduce((total, part) => total + part, filter.bias);
  return { patch, parts, sum, value: filter.relu ? Math.max(0, sum) : sum };
}

const number = (value) => value.toFixed(2).replace("-", "−");
const channelOf = (cells, channel) => cells.map((line) => line.map((values) => values[channel]));

/** Fills a host for the value at [row, column]. */
export function showFilter(host, filter, place) {
  const said = filter.kernel ? convolution(filter, place) : pooling(filter, place);
  host.replaceChildren(...said);
}

function pooling(filter, place) {
  const patch = channelOf(patchAt(filter, place), 0);
  const [row, column] = place;
  return [make("div.sum", make("figure", greys(patch, rangeOf(filter.inputs, 0)), make("figcaption", `its patch of ${filter.below}`))),
    make("p", `The largest of ${patch.flat().map(number).join(", ")} is `, make("b", number(filter.values[row][column])), ".")];
}

function convolution(filter, place) {
  const { patch, parts, sum, value } = addends(filter, place);
  const shown = parts.map((part, channel) => ({ part, channel })).sort((one, other) => Math.abs(other.part) - Math.abs(one.part)).slice(0, MOST_SHOWN);
  const most = Math.max(...filter.kernel.flat(2).map(Math.abs));
  const rest = parts.length - shown.length;
  const others = sum - filter.bias - shown.reduce((total, { part }) => total + part, 0);
  const lines = [
    ...(rest ? [[`the other ${rest} maps`, others]] : []),
    ["the bias", filter.bias],
    ["the sum", sum],
    ...(filter.relu ? [["after ReLU: below zero is zero", value]] : []),
  ];
  return [
    make("p.fine", `Green weights are positive, orange ones negative.${rest ? ` The ${shown.length} maps below that count most here:` : ""}`),
    ...shown.map(({ part, channel }) => make("div.sum",
      make("figure", weights(channelOf(filter.kernel, channel), most), make("figcaption", "filter")), "×",
      make("figure", greys(channelOf(patch, channel), rangeOf(filter.inputs, channel)),
        make("figcaption", filter.below === "input" ? "input" : `${filter.below}, ${channel + 1}`)),
      "=", make("b", number(part)))),
    make("dl.lines", lines.map(([name, amount]) => make("div", make("dt", name), make("dd", number(amount))))),
  ];
}

function rangeOf(inputs, channel) {
  const values = inputs.flat().map((each) => each[channel]);
  return [Math.min(...values), Math.max(...values)];
}

const greys = (cells, [low, high]) => paint(cells, "patch", (value) => Array(3).fill(255 * (value - low) / (high - low || 1)));
const weights = (cells, most) => paint(cells, "filter", (value) => {
  const share = Math.abs(value) / (most || 1);
  return (value > 0 ? ADDS : TAKES).map((channel) => 245 - (245 - channel) * share);
});

function paint(cells, what, colourOf) {
  const [height, width] = [cells.length, cells[0].length];
  const canvas = make("canvas.pixels", { width, height, role: "img", ariaLabel: `${what}: ${cells.map((line) => line.map(number).join(" ")).join("; ")}` });
  canvas.style.width = `${width * CELL}px`;
  const context = canvas.getContext("2d");
  cells.forEach((line, row) => line.forEach((value, column) => {
    context.fillStyle = `rgb(${colourOf(value).map(Math.round).join()})`;
    context.fillRect(column, row, 1, 1);
  }));
  return canvas;
}
