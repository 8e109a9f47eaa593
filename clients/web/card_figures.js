/** The figures of a model card that matter most, in words. */

import { figure, percent } from "./format.js";

/** As precise as its interval. */
const accuracyOf = (value) => (value?.interval_95 ? `${(value.value * 100).toFixed(2)} %` : shareOf(value));
const shareOf = (value) => percent(value?.value ?? value);

/** A metric of a card → the sentence that says it; the first five that a card has are shown. */
const SENTENCES = [
  ["test_accuracy", (value) => `${accuracyOf(value)} of the test images are classified correctly${between(value)}.`],
  ["validation_accuracy", (value, { task }) => (task === "generate_text"
    ? `${shareOf(value)} of the characters of unseen text are predicted correctly.` : "")],
  ["accuracy_of_always_the_commonest", (value) => `Always predicting the commonest character is right for ${shareOf(value)}.`],
  ["validation_nats_per_character", (value) => `Its surprisal on unseen text is ${figure(value)} nats per character.`],
  ["kneser_ney_7_gram_nats_per_character", (value) => `That of a 7-gram model is ${figure(value)}.`],
  ["test_expected_calibration_error", (value) => `Its probabilities are off by ${shareOf(value)} on average.`],
  ["test_called_outlier", (value) => `${shareOf(value)} of the test images are called outliers.`],
  ["test_outlier_auroc_digits", (value) => `Its outlier score separates clothing from digits with an AUROC of ${figure(value)}.`],
  ["test_rate", (value) => `The latent vector of an image costs ${figure(value)} nats (rate).`],
  ["test_distortion", (value) => `Decoding the image from it costs ${figure(value)} nats (distortion).`],
  ["active_units", (value) => `${figure(value)} of its latent dimensions are in use.`],
  ["digits_kept_by_reconstruction", (value) => `${shareOf(value)} of the digits are read as the same digit after reconstruction.`],
  ["anomaly_auroc_letters", (value) => `Its anomaly score separates letters from digits with an AUROC of ${figure(value)}.`],
  ["class_conditional_accuracy", (value) => `${shareOf(value)} of the generated digits are read as the digit asked for.`],
  ["precision", (value) => `${shareOf(value)} of what it generates looks like a real digit (precision).`],
  ["recall", (value) => `${shareOf(value)} of the real digits look like something it generates (recall).`],
  ["discriminator_accuracy_generated", (value) => `Its discriminator detects ${shareOf(value)} of the generated digits; one half is guessing.`],
  ["test_accuracy_taught_by_generated", (value) => `A network trained on nothing but its digits classifies ${shareOf(value)} of the real test digits correctly.`],
];

function between({ interval_95: interval } = {}) {
  return interval ? ` (95 % interval: ${interval.map((each) => `${(each * 100).toFixed(2)} %`).join(" to ")})` : "";
}

/** At most five sentences; the number of parameters is the last where there are fewer. */
export function mainFigures(card) {
  const { metrics = {}, parameters } = card;
  const said = SENTENCES.filter(([name]) => metrics[name] !== undefined && metrics[name] !== null)
    .map(([name, sentence]) => sentence(metrics[name], card)).filter(Boolean);
  if (parameters) said.push(`It has ${figure(parameters)} parameters.`);
  return said.slice(0, 5);
}
