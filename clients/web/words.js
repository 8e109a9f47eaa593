/** Values → the words the page shows. Pure. */

/** 0.9998 → "> 99.9 %": never a rounded 100 or 0. @param {number} probability @returns {string} */
export function percent(probability) {
  if (probability >= 0.9995) return "> 99.9 %";
  if (probability < 0.0005) return "< 0.1 %";
  return `${(probability * 100).toFixed(1)} %`;
}

/** 12.34 → "12 ms", 0.412 → "0.41 ms". @param {number} value @returns {string} */
export function milliseconds(value) {
  return `${value < 10 ? value.toFixed(value < 1 ? 2 : 1) : Math.round(value)} ms`;
}

/**
 * The command that does what the page does.
 * @param {string} url @param {{file?: string, withKey?: boolean}} [options] @returns {string}
 */
export function curlCommand(url, { file = "digit.png", withKey = false } = {}) {
  const key = withKey ? ' \\\n  -H "X-API-Key: $VITRINE_API_KEY"' : "";
  return `curl --data-binary ${quoted(`@${file}`)}${key} \\\n  ${quoted(url)}`;
}

/** What to say while the service is busy. @param {number} seconds @param {{status: number}} error */
export function waitingSentence(seconds, { status }) {
  const reason = status === 503
    ? "The model is still getting ready."
    : "Many people are drawing right now.";
  return `${reason} Your drawing is kept and sent again in ${Math.ceil(seconds)} s.`;
}

/** A message of the service → a sentence with a capital and a full stop. @param {string} message */
export function sentence(message) {
  const text = message.trim();
  return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?…]$/.test(text) ? "" : ".");
}

function quoted(text) {
  return /^[\w@./:=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
