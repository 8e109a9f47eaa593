/** The service's random numbers: uniform ones from Philox 4 × 64, normal ones by their quantiles. */

import { quantile } from "../normal.js";

const MULTIPLIERS = [0xD2E7470EE14C6C93n, 0xCA5A826395121157n];
const STEPS = [0x9E3779B97F4A7C15n, 0xBB67AE8584CAA73Bn]; // that the key advances by in each round
const MASK = 2n ** 64n - 1n;
const ROUNDS = 10;
const PER_BLOCK = 8; // 32-bit words
const HALF_STEP = 2 ** -25; // in the middle of the steps of 2⁻²⁴ that uniform numbers come in

/** Numbers `start` to `start + count` of generation `index`, in [0, 1). */
export function uniforms(randomSeed, index, start, count) {
  const found = new Float32Array(count);
  for (let place = 0; place < count;) {
    const block = Math.floor((start + place) / PER_BLOCK);
    const words = philox(block + 1, randomSeed, index);
    for (let word = (start + place) % PER_BLOCK; word < PER_BLOCK && place < count; word += 1, place += 1) found[place] = (words[word] >>> 8) * 2 ** -24;
  }
  return found;
}

/** One block of 32-bit words (Salmon et al., 2011). */
function philox(counter, ...keys) {
  let key = keys.map(BigInt);
  let [a, b, c, d] = [BigInt(counter), 0n, 0n, 0n];
  for (let round = 0; round < ROUNDS; round += 1) {
    const [first, second] = [a * MULTIPLIERS[0], c * MULTIPLIERS[1]];
    [a, b, c, d] = [(second >> 64n) ^ b ^ key[0], second & MASK, (first >> 64n) ^ d ^ key[1], first & MASK];
    key = key.map((each, index) => (each + STEPS[index]) & MASK);
  }
  return [a, b, c, d].flatMap((word) => [Number(word & 0xFFFFFFFFn), Number(word >> 32n)]);
}

/** Standard normal vectors [count][size]; number i depends on (randomSeed, i) alone. */
export const normals = (randomSeed, count, size) => Array.from({ length: count }, (_, index) =>
  Float32Array.from(uniforms(randomSeed, index, 0, size), (share) => quantile(share + HALF_STEP)));
