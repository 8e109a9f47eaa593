/** The standard normal distribution, for maps on which every place is as likely as any other. Pure. */

/** The share of draws below z (Abramowitz and Stegun 7.1.26; off by at most 2e-7). */
export function shareBelow(z) {
  const t = 1 / (1 + 0.3275911 * Math.abs(z) / Math.SQRT2);
  const polynomial = [1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592]
    .reduce((sum, factor) => sum * t + factor, 0) * t;
  const tail = polynomial * Math.exp(-z * z / 2) / 2;
  return z < 0 ? tail : 1 - tail;
}

/** The z that a share of the draws is below. */
export function quantile(share) {
  let [low, high] = [-8, 8];
  for (let step = 0; step < 50; step += 1) {
    const middle = (low + high) / 2;
    if (shareBelow(middle) < share) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
