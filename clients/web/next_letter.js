/**
 * The ten likeliest next letters. The API names five beside each character that it draws; the others are found
 * among letters that are drawn nearly at random, each of which comes with its own probability.
 */

const SHOWN = 10;
const DRAWS = { max_tokens: 1, temperature: 6, n: 256, logprobs: 5, unknown: "replace" };

/** The body for `/v1/completions`; the model is the one that writes. */
export const drawsAfter = (prompt, model, seed) => ({ model, prompt, seed, ...DRAWS });

/** Choices of `/v1/completions` → [letter, probability at this diversity], the likeliest first. */
export function likeliest(choices, diversity) {
  const logprobs = new Map();
  for (const { logprobs: { tokens: [token], token_logprobs: [logprob], top_logprobs: [top] } } of choices) {
    logprobs.set(token, logprob);
    for (const [each, value] of Object.entries(top)) logprobs.set(each, value);
  }
  const rows = [...logprobs].sort(([, one], [, other]) => other - one);
  if (!diversity) return rows.slice(0, SHOWN).map(([letter], index) => [letter, index ? 0 : 1]);
  const powers = rows.map(([letter, logprob]) => [letter, Math.exp((logprob - rows[0][1]) / diversity)]);
  const sum = powers.reduce((total, [, power]) => total + power, 0);
  return powers.slice(0, SHOWN).map(([letter, power]) => [letter, power / sum]);
}
