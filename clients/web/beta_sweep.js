/** What β does: a slider over models that were trained with different β, from the card of `vae` and one sheet of images. */

import { make } from "./dom.js";
import { figure, percent } from "./format.js";

const SHEET = "page/beta-sweep.png"; // a row of digits as they are, then one for each β: reconstructed, and sampled
const HALVES = [["reconstructed", 0], ["sampled at random", 588]];
const [WIDTH, HEIGHT] = [560, 56];

/** The figures of a row of the sweep, in words. */
export function sweepFigures({ rate, distortion, active_units: active, digits_kept_by_reconstruction: kept, sure_digits_drawn_from_the_prior: sure }) {
  return [
    `distortion (reconstruction loss): ${figure(distortion)} nats`,
    rate === undefined ? "no rate: the encoder gives points, not distributions" : `rate (KL divergence): ${figure(rate)} nats`,
    `${active} of 20 latent dimensions in use`,
    `${percent(kept)} of the digits are read as the same digit after reconstruction`,
    `${percent(sure)} of the samples are read as a digit with certainty`,
  ];
}

/** Shows the section once the card is there; without a sweep in it the section stays hidden. */
export async function showSweep(part, vitrine) {
  if (!part.sweep.hidden) return;
  const card = await vitrine.ask("v1/models/vae/card", null, "model").catch(() => null);
  const sweep = card?.body.beta_sweep;
  if (!sweep) return;
  const sheet = make("img", { src: SHEET });
  await sheet.decode().catch(() => {});
  part.beta.max = sweep.length - 1;
  part.beta.value = sweep.findIndex(({ beta }) => beta === 1);
  part.beta.oninput = () => {
    const index = Number(part.beta.value);
    part.betaName.textContent = part.beta.ariaValueText = `β = ${sweep[index].beta}`;
    part.betaShown.replaceChildren(
      ...[["the digits", 0, 0], ...HALVES.map(([name, left]) => [name, left, index + 1])].map(([name, left, row]) =>
        make("figure", cut(sheet, left, row * HEIGHT), make("figcaption", name))),
      make("ul.plainly", sweepFigures(sweep[index]).map((line) => make("li", line))));
  };
  part.beta.oninput();
  part.sweep.hidden = false;
}

function cut(sheet, left, top) {
  const canvas = make("canvas.pixels", { width: WIDTH, height: HEIGHT, role: "img", ariaLabel: "ten digits" });
  canvas.getContext("2d").drawImage(sheet, left, top, WIDTH, HEIGHT, 0, 0, WIDTH, HEIGHT);
  return canvas;
}
