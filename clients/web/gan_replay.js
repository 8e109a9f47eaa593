/** The GAN's training on a slider: what the same latent vectors gave at each moment, from the model's card. */

import { make } from "./dom.js";
import { percent } from "./format.js";

const SIDE = 28;

/** Shows the section if the card of `model` has the images. */
export async function showReplay(part, { askQuietly, signal }, model) {
  part.replay.hidden = true;
  const card = await askQuietly(`v1/models/${model}/card`, null).catch(() => null);
  const src = card?.pictures?.samples_by_training_time;
  const accuracies = card?.history?.accuracy_generated;
  const served = card?.metrics?.discriminator_accuracy_generated?.value;
  const atTheEnd = served ? ` It detects ${percent(served)} of the digits of the served generator, whose weights are a running mean.` : "";
  const epochs = card?.history?.d_loss?.length;
  if (!src || !epochs) return;
  const sheet = make("img", { src });
  await sheet.decode().catch(() => {});
  if (signal.aborted) return; // another model was chosen
  const rows = Math.floor(sheet.naturalHeight / SIDE);
  if (!rows) return;
  const width = sheet.naturalWidth;
  Object.assign(part.frameShown, { width, height: SIDE });
  part.frame.max = part.frame.value = rows - 1;
  part.frame.oninput = () => {
    const row = Number(part.frame.value);
    part.frameShown.getContext("2d").drawImage(sheet, 0, row * SIDE, width, SIDE, 0, 0, width, SIDE);
    const epoch = Math.round(row * (epochs - 1) / Math.max(1, rows - 1));
    const right = (accuracies ?? [])[epoch];
    part.frameName.textContent = part.frame.ariaValueText = `after epoch ${epoch + 1} of ${epochs}`;
    part.frameWords.textContent = right === undefined ? "" : `In training the discriminator detected ${percent(right)} of the generated digits; one half is guessing.${atTheEnd}`;
  };
  part.frame.oninput();
  part.replay.hidden = false;
}
