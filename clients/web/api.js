/**
 * The service as the page sees it: pictures and JSON out, answers or errors back. Knows no document.
 *
 * VitrineError
 * ├─ Superseded          a newer request took its place; nothing to tell anybody
 * ├─ Unreachable         no connection
 * ├─ UnexpectedAnswer    something answered, but not as the service does
 * └─ Refused             the service said no: status, code, requestId
 *    ├─ Unauthorized     an API key is missing or wrong
 *    └─ Busy             429 and 503: asked again until patience ended
 */

import { readEvents } from "./events.js";

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
  constructor(message, { status, code = "", requestId = "" }) {
    super(message);
    Object.assign(this, { status, code, requestId });
  }
}

export class Unauthorized extends Refused {}
export class Busy extends Refused {}

/**
 * Asks the service. While it is busy, no request leaves before the time it named has passed.
 *
 * A path is relative to the page. Content: null gets, a Blob is posted as it is, all else as JSON.
 * Options: `signal` ends the call with `Superseded`; `onWait(seconds, error)` is told before each wait.
 * Answers: `body`; `timing`, the steps of Server-Timing; `roundTripMs`, to the first byte of a stream.
 */
export class Vitrine {
  key = ""; // the API key, once somebody has typed one
  onUnauthorized = () => {}; // called when it is missing or wrong
  #quietUntil = 0;
  #refused = null; // the newest Busy

  /** The clock is in milliseconds. */
  constructor({ fetch = (...args) => globalThis.fetch(...args), now = () => performance.now(), sleep = pause } = {}) {
    Object.assign(this, { fetch, now, sleep });
  }

  /** JSON, in which a field is expected that is not empty. */
  ask(path, content, expected, options) {
    return this.#ask(path, content, options, async (response) => {
      const body = parseJson(await response.text());
      if (!Object.keys(body?.[expected] ?? {}).length) throw unexpected(response);
      return body;
    });
  }

  picture(path, options) {
    return this.#ask(path, null, options, (response) => response.blob());
  }

  /** An Answer with `events`, those of the API. Leaving the loop over them stops the work. */
  async stream(path, content, options = {}) {
    const answer = await this.#ask(path, content, options, async (response) => readEvents(response.body));
    return { ...answer, events: eventsOf(answer.body, options.signal) };
  }

  async #ask(path, content, { signal, onWait = () => {} } = {}, read) {
    for (let attempt = 1; ; attempt += 1) {
      const milliseconds = this.#quietUntil - this.now();
      if (milliseconds > 0) {
        onWait(milliseconds / 1000, this.#refused);
        await this.sleep(milliseconds, signal);
      }
      if (signal?.aborted) throw superseded();
      try {
        return await this.#once(path, content, signal, read);
      } catch (error) {
        if (error instanceof Unauthorized) this.onUnauthorized();
        if (!(error instanceof Busy) || attempt === ATTEMPTS) throw error;
      }
    }
  }

  async #once(path, content, signal, read) {
    const started = this.now();
    try {
      const response = await this.fetch(path, this.#request(content, signal));
      if (!response.ok) throw this.#refusal(response, parseJson(await response.text()));
      const body = await read(response);
      const timing = parseServerTiming(response.headers.get("Server-Timing") ?? "");
      return { body, timing, roundTripMs: this.now() - started };
    } catch (error) {
      throw translated(error, signal);
    }
  }

  #request(content, signal) {
    const headers = { Accept: "application/json" };
    if (this.key) headers["X-API-Key"] = this.key;
    if (content === null) return { headers, signal };
    const isBlob = content instanceof Blob;
    headers["Content-Type"] = isBlob ? "application/octet-stream" : "application/json";
    return { method: "POST", body: isBlob ? content : JSON.stringify(content), headers, signal };
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
    return (this.#refused = new Busy(message, about));
  }
}

/** One job at a time: starting one aborts the one before, which then rejects with `Superseded`, whatever it did. */
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
    throw superseded();
  };
}

/** `decode;dur=0.4, infer;dur=1.2` → the steps, in order; what has no duration is left out. */
export function parseServerTiming(header) {
  return header.split(",").flatMap((entry) => {
    const [name, ...parameters] = entry.split(";").map((part) => part.trim());
    const duration = parameters.find((parameter) => parameter.startsWith("dur="));
    const milliseconds = Number.parseFloat(duration?.slice("dur=".length).replaceAll('"', ""));
    return name && milliseconds >= 0 ? [{ name, milliseconds }] : [];
  });
}

/** A Retry-After header, seconds or a date → seconds that a person is willing to wait. */
export function retryAfterSeconds(header, now = Date.now()) {
  const text = header?.trim() ?? "";
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : (Date.parse(text) - now) / 1000;
  return Math.min(LONGEST_WAIT_SECONDS, Math.max(SHORTEST_WAIT_SECONDS, seconds || 0));
}

async function* eventsOf(events, signal) {
  try {
    for await (const data of events) {
      if (data === "[DONE]") return;
      const event = JSON.parse(data);
      if (event.error) throw new Refused(String(event.error), { status: 0, code: event.code });
      yield event;
    }
  } catch (error) {
    throw translated(error, signal);
  }
  throw new Unreachable("The answer broke off before its end. Try again.");
}

const superseded = () => new Superseded("a newer request took its place");

/** What went wrong on the way → an error of ours. */
function translated(error, signal) {
  if (signal?.aborted) return superseded();
  if (error instanceof VitrineError) return error;
  return new Unreachable("The service does not answer. Is it running, and are you online?", { cause: error });
}

function unexpected({ status }) {
  return new UnexpectedAnswer(`What answered is not this service (status ${status}). Is a proxy in between? Reload the page.`);
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
