/** Values → the words the page shows. */

/** 0.9998 → "> 99.9 %": never a rounded 100 or 0. */
export function percent(probability) {
  if (probability >= 0.9995) return "> 99.9 %";
  if (probability < 0.0005) return "< 0.1 %";
  return `${(probability * 100).toFixed(1)} %`;
}

/** 12.34 → "12 ms", 0.412 → "0.41 ms". */
export function milliseconds(value) {
  return `${value < 10 ? value.toFixed(value < 1 ? 2 : 1) : Math.round(value)} ms`;
}

/** A figure of a model card, with its 95 % interval where it has one; "" for what is none. */
export function figure(value) {
  if (typeof value === "string") return value;
  if (Number.isInteger(value)) return value.toLocaleString("en");
  if (value && Math.abs(value) < 0.001) return value.toExponential(1);
  if (typeof value === "number") return Number(value.toPrecision(4)).toLocaleString("en", { maximumFractionDigits: 4 });
  if (!value?.interval_95) return "";
  const [share, low, high] = [value.value, ...value.interval_95].map((each) => (each * 100).toFixed(2));
  return `${share} % (${low} to ${high})`;
}

/** A latent vector, short enough to be read in a command. */
export const rounded = (vector) => vector.map((value) => Number(value.toFixed(4)));

/** Why one waits, and how long; `loading`: which model loads, if one does. */
export function waitingSentence(seconds, { status }, loading = "") {
  const reason = { 429: "Many people are asking right now", 503: loading || "The model is still getting ready" }[status]
    ?? "The service does not answer";
  return `${reason}. Your request is kept and sent again in ${Math.ceil(seconds)} s.`;
}

export const inWords = (name) => name.replaceAll("_", " ");

export const sentenceCase = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** With a capital and a full stop. */
export function sentence(message) {
  const text = message.trim();
  return sentenceCase(text) + (/[.!?…]$/.test(text) ? "" : ".");
}
