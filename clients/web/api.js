/**
 * The service as the page sees it: pictures out, answers or errors back. Knows no document.
 *
 * VitrineError
 * ├─ Superseded          a newer request took its place; nothing to tell anybody
 * ├─ Unreachable         no connection
 * ├─ UnexpectedAnswer    something answered, but not as the service does
 * └─ Refused             the service said no: status, code, requestId
 *    ├─ Unauthorized     an API key is missing or wrong
 *    └─ Busy             429 and 503: asked again until patience ended
 */

const ATTEMPTS = 6;
const SHORTEST_WAIT_SECONDS = 1;
const LONGEST_WAIT_SECONDS = 30;

/** Base of all of them; `message` is one sentence for a person. */
export class VitrineError extends Error {
  get name() {
    return this.constructor.name;
  }
}

export class Superseded extends VitrineError {}

export class Unreachable extends VitrineError {}

export class UnexpectedAnswer extends VitrineError {}

export class Refused extends VitrineError {
  /** @param {string} message @param {{status: number, code?: string, requestId?: string}} about */
  constructor(message, { status, code = "", requestId = "" }) {
    super(message);
    Object.assign(this, { status, code, requestId });
  }
}

export class Unauthorized extends Refused {}

export class Busy extends Refused {}

/**
 * @typedef {object} Answer
 * @property {any} body the JSON of the answer
 * @property {{name: string, milliseconds: number}[]} timing the steps of Server-Timing
 * @property {number} roundTripMs from sending to having read the answer
 */

/**
 * @typedef {object} CallOptions
 * @property {AbortSignal} [signal] ends the call with `Superseded`
 * @property {(seconds: number, error: Busy) => void} [onWait] told before each wait
 */

/** Asks the service. While it is busy, no request leaves before the time it named has passed. */
export class Vitrine {
  /** @type {string} the API key, once somebody has typed one */
  key = "";
  #quietUntil = 0;

  /**
   * @param {object} [options]
   * @param {string} [options.base] what the paths are relative to; empty: the page's address
   * @param {typeof fetch} [options.fetch]
   * @param {() => number} [options.now] milliseconds
   * @param {(milliseconds: number, signal?: AbortSignal) => Promise<void>} [options.sleep]
   */
  constructor({ base = "", fetch = (...args) => globalThis.fetch(...args),
    now = () => performance.now(), sleep = pause } = {}) {
    Object.assign(this, { base, fetch, now, sleep });
  }

  /**
   * Which digit is it?
   * @param {Blob} picture @param {CallOptions} [options] @returns {Promise<Answer>}
   */
  classifyDigit(picture, options) {
    return this.#post("v1/digits/classify?return=input", picture, options,
      (body) => body.predictions[0].probabilities.length === 10);
  }

  /**
   * What does each layer see?
   * @param {Blob} picture @param {CallOptions} [options] @returns {Promise<Answer>}
   */
  digitActivations(picture, options) {
    return this.#post("v1/digits/activations?model=digits-course", picture, options,
      (body) => Array.isArray(body.layers));
  }

  async #post(path, picture, { signal, onWait = () => {} } = {}, isAnswer) {
    for (let attempt = 1; ; attempt += 1) {
      await this.#untilQuietIsOver(signal);
      try {
        return await this.#once(path, picture, signal, isAnswer);
      } catch (error) {
        if (!(error instanceof Busy) || attempt === ATTEMPTS) throw error;
        onWait(error.retryAfterSeconds, error);
      }
    }
  }

  async #untilQuietIsOver(signal) {
    const milliseconds = this.#quietUntil - this.now();
    if (milliseconds > 0) await this.sleep(milliseconds, signal);
    if (signal?.aborted) throw new Superseded("a newer request took its place");
  }

  async #once(path, picture, signal, isAnswer) {
    const started = this.now();
    const headers = { Accept: "application/json", "Content-Type": "application/octet-stream" };
    if (this.key) headers["X-API-Key"] = this.key;
    const { response, body } = await this.#exchange(path, { method: "POST", body: picture, headers, signal });
    if (!response.ok) throw this.#refusal(response, body);
    if (!fits(body, isAnswer)) throw unexpected(response);
    const timing = parseServerTiming(response.headers.get("Server-Timing") ?? "");
    return { body, timing, roundTripMs: this.now() - started };
  }

  async #exchange(path, request) {
    try {
      const response = await this.fetch(this.base + path, request);
      const text = await response.text();
      return { response, body: parseJson(text) };
    } catch (error) {
      if (request.signal?.aborted) throw new Superseded("a newer request took its place");
      throw new Unreachable("The service does not answer. Is it running, and are you online?", { cause: error });
    }
  }

  #refusal(response, body) {
    const { status } = response;
    const isBusy = status === 429 || status === 503;
    if (typeof body?.error !== "string" && !isBusy) return unexpected(response);
    const about = { status, code: String(body?.code ?? ""), requestId: String(body?.request_id ?? "") };
    const message = typeof body?.error === "string" ? body.error : "The service is busy.";
    if (status === 401) return new Unauthorized(message, about);
    if (!isBusy) return new Refused(message, about);
    const seconds = retryAfterSeconds(response.headers.get("Retry-After"));
    this.#quietUntil = Math.max(this.#quietUntil, this.now() + seconds * 1000);
    return Object.assign(new Busy(message, about), { retryAfterSeconds: seconds });
  }
}

/**
 * Makes room for one job at a time: starting one aborts the one before.
 * @returns {<T>(job: (signal: AbortSignal) => Promise<T>) => Promise<T>} rejects with `Superseded`
 *   when a newer job has been started, whatever the older one did in the meantime
 */
export function newestOnly() {
  let controller = new AbortController();
  return async (job) => {
    controller.abort();
    const mine = (controller = new AbortController());
    try {
      const result = await job(mine.signal);
      if (!mine.signal.aborted) return result;
    } catch (error) {
      if (!mine.signal.aborted) throw error;
    }
    throw new Superseded("a newer request took its place");
  };
}

/**
 * `decode;dur=0.4, infer;dur=1.2` → the steps, in order; what has no duration is left out.
 * @param {string} header @returns {{name: string, milliseconds: number}[]}
 */
export function parseServerTiming(header) {
  return header.split(",").flatMap((entry) => {
    const [name, ...parameters] = entry.split(";").map((part) => part.trim());
    const duration = parameters.find((parameter) => parameter.startsWith("dur="));
    const milliseconds = Number.parseFloat(duration?.slice("dur=".length).replaceAll('"', ""));
    return name && milliseconds >= 0 ? [{ name, milliseconds }] : [];
  });
}

/**
 * A Retry-After header, seconds or a date → seconds that a person is willing to wait.
 * @param {string | null} header @param {number} [now] @returns {number}
 */
export function retryAfterSeconds(header, now = Date.now()) {
  const text = header?.trim() ?? "";
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : (Date.parse(text) - now) / 1000;
  if (Number.isNaN(seconds)) return SHORTEST_WAIT_SECONDS;
  return Math.min(LONGEST_WAIT_SECONDS, Math.max(SHORTEST_WAIT_SECONDS, seconds));
}

function unexpected(response) {
  return new UnexpectedAnswer(
    `What answered is not this service (status ${response.status}). Is a proxy in between? Reload the page.`);
}

function fits(body, isAnswer) {
  try {
    return isAnswer(body);
  } catch {
    return false;
  }
}

function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function pause(milliseconds, signal) {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => { clearTimeout(timer); resolve(); }, { once: true });
  });
}
