/**
 * Sends the newest of many values, never faster than answers come back: as every request aborts the one
 * before, the interval is a little more than the last answer took, and doubles after one that was aborted.
 * `send` resolves to whether an answer arrived, and never rejects.
 */
export function createLatestOnly(send, { shortestMs = 60, longestMs = 2000,
  now = () => performance.now(), later = setTimeout, forget = clearTimeout } = {}) {
  let intervalMs = shortestMs;
  let startedAt = -Infinity;
  let timer = null;
  let newest;

  async function start() {
    timer = null;
    const began = (startedAt = now());
    const answered = await send(newest);
    const wanted = answered ? (now() - began) * 1.2 : intervalMs * 2;
    intervalMs = Math.min(longestMs, Math.max(shortestMs, wanted));
  }

  return {
    push(value) {
      newest = value;
      if (timer !== null) return;
      const waitMs = startedAt + intervalMs - now();
      if (waitMs <= 0) start();
      else timer = later(start, waitMs);
    },
    cancel() {
      forget(timer);
      timer = null;
    },
  };
}
