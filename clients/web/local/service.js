/**
 * The service in the page: what `fetch` is to `Vitrine`, answered by graphs that run here, without a server.
 *
 * It answers the calls that this page makes, with the fields that the service gives.
 */

import { InvalidValue, LocalError, Unavailable } from "./errors.js";
import { createGraphs } from "./graphs.js";

const PAGE_ONLY = "must be asked of a Vitrine service: this page runs without one";
const ROUTES = {
  digits: () => import("./digits_routes.js"),
  images: () => import("./image_routes.js"),
  fashion: () => import("./image_routes.js"),
  vae: () => import("./vae_routes.js"),
  gan: () => import("./gan_routes.js"),
  text: () => import("./text_routes.js"),
};

/** A function like `fetch`; `others` fetches what is no route of the API. */
export function createLocalFetch({ onChecked, graphs = createGraphs({ onChecked }), others = (...args) => globalThis.fetch(...args) } = {}) {
  return async (path, options = {}) => {
    const url = new URL(path, "http://page/");
    if (!url.pathname.startsWith("/v1/")) return others(path, options);
    try {
      return await answer(graphs, url, options);
    } catch (error) {
      if (options.signal?.aborted) throw error;
      if (!(error instanceof LocalError)) console.error(error);
      return refusal(error instanceof LocalError ? error : new Unavailable("this browser could not compute the answer: reload the page, or use another browser"));
    }
  };
}

async function answer(graphs, { pathname, searchParams: query }, { body, signal }) {
  const [kind, verb, part] = pathname.split("/").slice(2);
  if (kind === "models") return json(part === "card" ? await graphs.card(verb) : await graphs.list());
  const routes = ROUTES[kind] && (await ROUTES[kind]()).default;
  const route = routes?.[`${kind}/${verb}`];
  if (!route) throw new Unavailable(`${pathname} ${PAGE_ONLY}`);
  const times = {};
  const call = {
    query,
    signal,
    file: body instanceof Blob ? body : null,
    json: typeof body === "string" ? JSON.parse(body) : null,
    /** Runs one step of the answer, and writes down how long it took. */
    async timed(step, job) {
      const began = performance.now();
      const result = await job();
      times[step] = (times[step] ?? 0) + performance.now() - began;
      return result;
    },
    async model(otherwise, task) {
      const name = query.get("model") ?? otherwise;
      const model = await graphs.model(name);
      if (model.task !== task) throw new InvalidValue(`model must be one of task ${task}, got ${name}, whose task is ${model.task}`);
      return { ...model, run: (...args) => call.timed("infer", () => model.run(...args)) };
    },
  };
  const result = await route(call);
  if (result instanceof Response) return result;
  const timing = Object.entries(times).map(([name, duration]) => `${name};dur=${duration.toFixed(2)}`).join(", ");
  return json(result, { "Server-Timing": timing });
}

const json = (content, headers = {}) => new Response(JSON.stringify(content), { headers: { "Content-Type": "application/json", ...headers } });

const refusal = ({ message, status, code }) => new Response(JSON.stringify({ error: message, code, request_id: "page" }), { status });
