/** The standard normal distribution. */

const density = (z) => Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI);

/** The share of draws above z ≥ 0: the series of the error function, far out its continued fraction. */
function shareAbove(z) {
  if (z > 2.5) {
    let rest = 0;
    for (let step = 80; step > 0; step -= 1) rest = step / (z + rest);
    return density(z) / (z + rest);
  }
  let [term, sum] = [z, z];
  for (let step = 3; term > sum * 1e-17; step += 2) sum += term *= z * z / step;
  return 0.5 - density(z) * sum;
}

/** The share of draws below z. */
export const shareBelow = (z) => (z < 0 ? shareAbove(-z) : 1 - shareAbove(z));

/** The z that a share of the draws is below, by Newton's method from within. */
export function quantile(share) {
  const tail = Math.min(share, 1 - share);
  let z = 0;
  for (let step = 0; step < 60; step += 1) {
    const change = (shareAbove(z) - tail) / density(z);
    z += change;
    if (Math.abs(change) < 1e-14 * (1 + z)) break;
  }
  return share < 0.5 ? -z : z;
}
