/** The GAN's training on a slider: what the same latent vectors gave at each moment, from the model's card. */

import { make } from "./dom.js";
import { percent } from "./format.js";

const SIDE = 28;

/** Shows the section if the card has the images; `model`: whose. */
export async function showReplay(part, vitrine, model) {
  part.replay.hidden = true;
  const card = await vitrine.ask(`v1/models/${model}/card`, null, "model").catch(() => null);
  const src = card?.body.pictures?.samples_by_training_time;
  const accuracies = card?.body.history?.accuracy_generated;
  const served = card?.body.metrics?.discriminator_accuracy_generated?.value;
  const atTheEnd = served ? ` Of those of the generator that is served, whose weights are a running mean, it finds ${percent(served)}.` : "";
  const epochs = card?.body.history?.d_loss?.length;
  if (!src || !epochs) return;
  const sheet = make("img", { src });
  await sheet.decode().catch(() => {});
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
