/**
 * The service as the page sees it.
 *
 * VitrineError            its message is one sentence for a person
 * ├─ Superseded           a newer request took its place
 * ├─ Unreachable          no connection; sent again until there is one
 * ├─ UnexpectedAnswer     something else answered
 * └─ Refused              the service said no: status, code, requestId
 *    ├─ Unauthorized      an API key is missing or wrong
 *    └─ Busy              429 and 503; sent again until there is an answer
 */

import { readEvents } from "./events.js";

const SHORTEST_WAIT_SECONDS = 1;
const LONGEST_WAIT_SECONDS = 30;

export class VitrineError extends Error {
  constructor(message, about) {
    super(message);
    Object.assign(this, about, { name: this.constructor.name });
  }
}

export class Superseded extends VitrineError {}
export class Unreachable extends VitrineError {}
export class UnexpectedAnswer extends VitrineError {}
export class Refused extends VitrineError {}
export class Unauthorized extends Refused {}
export class Busy extends Refused {}

/**
 * A path is relative to the page. Content: null gets, a Blob is posted as it is, all else as JSON.
 * Options: `signal` aborts; `onWait(seconds, error)` is called before each wait for a busy or absent service.
 * Answers: `body`; `timing`, the steps of Server-Timing; `roundTripMs`, to the first byte of a stream.
 */
export class Vitrine {
  key = ""; // the API key
  onUnauthorized = () => {}; // called with whether a key was sent, when it is missing or wrong
  #quietUntil = 0; // nothing is sent before
  #reason = null; // why: the newest Busy or Unreachable

  constructor({ fetch = (...args) => globalThis.fetch(...args), now = () => performance.now(), sleep = pause } = {}) {
    Object.assign(this, { fetch, now, sleep });
  }

  /** JSON, in which a field is expected that is not empty. */
  ask(path, content, expected, options) {
    return this.#send(path, content, options, async (response) => {
      const body = parseJson(await response.text());
      if (!Object.keys(body?.[expected] ?? {}).length) throw unexpected(response);
      return body;
    });
  }

  /** A text, such as a document of the page. */
  text(path, options) {
    return this.#send(path, null, options, (response) => response.text());
  }

  /** An image. */
  image(path, options) {
    return this.#send(path, null, options, (response) => response.blob());
  }

  /** With the `events` of the API. Leaving the loop over them stops the work. */
  async stream(path, content, options) {
    const answer = await this.#send(path, content, options, (response) => readEvents(response.body));
    return { ...answer, events: parsed(answer.body, options?.signal) };
  }

  async #send(path, content, { signal, onWait = () => {} } = {}, read) {
    for (let attempt = 1; ; attempt += 1) {
      const wait = this.#quietUntil - this.now();
      if (wait > 0) {
        onWait(wait / 1000, this.#reason);
        await this.sleep(wait, signal);
      }
      if (signal?.aborted) throw superseded();
      const { key } = this;
      const started = this.now();
      try {
        const response = await this.fetch(path, this.#request(content, signal));
        if (response.status === 401 && key !== this.key) continue; // another key was given meanwhile
        if (!response.ok) throw this.#refusal(response, parseJson(await response.text()));
        const body = await read(response);
        const timing = parseServerTiming(response.headers.get("Server-Timing") ?? "");
        return { body, timing, roundTripMs: this.now() - started };
      } catch (error) {
        const ours = translated(error, signal);
        if (!(ours instanceof Busy || ours instanceof Unreachable)) throw ours;
        if (ours instanceof Unreachable) this.#keepQuiet(Math.min(LONGEST_WAIT_SECONDS, 2 ** (attempt - 1)), ours);
      }
    }
  }

  #request(content, signal) {
    const headers = { Accept: "application/json", ...(this.key && { "X-API-Key": this.key }) };
    if (content === null) return { headers, signal };
    const [type, body] = content instanceof Blob ? ["octet-stream", content] : ["json", JSON.stringify(content)];
    return { method: "POST", body, headers: { ...headers, "Content-Type": `application/${type}` }, signal };
  }

  #refusal({ status, headers }, body) {
    const kind = { 401: Unauthorized, 429: Busy, 503: Busy }[status] ?? Refused;
    if (typeof body?.error !== "string" && kind !== Busy) return unexpected({ status });
    const error = new kind(body?.error ?? "The service is busy.", { status, code: body?.code, requestId: body?.request_id });
    if (kind === Unauthorized) this.onUnauthorized(Boolean(this.key));
    if (kind === Busy) this.#keepQuiet(retryAfterSeconds(headers.get("Retry-After")), error);
    return error;
  }

  #keepQuiet(seconds, reason) {
    this.#quietUntil = Math.max(this.#quietUntil, this.now() + seconds * 1000);
    this.#reason = reason;
  }
}

/** One job at a time: starting one aborts the one before, which then rejects with `Superseded`. */
export function newestOnly() {
  let controller = new AbortController();
  return async (job) => {
    controller.abort();
    const { signal } = (controller = new AbortController());
    try {
      const result = await job(signal);
      if (!signal.aborted) return result;
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    throw superseded();
  };
}

/** Rejects with `Superseded` when it is aborted. */
export function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    const leave = () => { clearTimeout(timer); reject(superseded()); };
    if (signal?.aborted) leave();
    signal?.addEventListener("abort", leave);
  });
}

/** `decode;dur=0.4, infer;dur=1.2` → the steps, in order; what has no duration is left out. */
export function parseServerTiming(header) {
  return header.split(",").flatMap((entry) => {
    const [name, ...parameters] = entry.split(";").map((part) => part.trim());
    const duration = parameters.find((parameter) => parameter.startsWith("dur="));
    const milliseconds = Number.parseFloat(duration?.replace(/dur="?/, ""));
    return name && milliseconds >= 0 ? [{ name, milliseconds }] : [];
  });
}

/** A Retry-After header, seconds or a date → seconds that a person is willing to wait. */
export function retryAfterSeconds(header, now = Date.now()) {
  const seconds = Number(header) || (Date.parse(header) - now) / 1000 || 0;
  return Math.min(LONGEST_WAIT_SECONDS, Math.max(SHORTEST_WAIT_SECONDS, seconds));
}

async function* parsed(events, signal) {
  try {
    for await (const data of events) {
      if (signal?.aborted) throw superseded();
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

/** What went wrong on the way → an error of ours. */
function translated(error, signal) {
  if (signal?.aborted) return superseded();
  if (error instanceof VitrineError) return error;
  return new Unreachable("The service does not answer. Is it running, and are you online?", { cause: error });
}

const superseded = () => new Superseded("a newer request took its place");
const unexpected = ({ status }) =>
  new UnexpectedAnswer(`What answered is not this service (status ${status}). Is a proxy in between? Reload the page.`);

function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
