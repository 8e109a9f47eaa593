/** What every section has: its parts, its state in the address, requests of which the newest wins, their commands. */

import { newestOnly, pause, Superseded, VitrineError } from "./api.js";
import { make, offer, partsOf, useTemplate } from "./dom.js";
import { createLatestOnly } from "./latest_only.js";
import { sentence, waitingSentence } from "./format.js";
import { loadingSentence, namesOf } from "./model_list.js";
import { createTerminal } from "./terminal.js";

const PLAIN_WORDS = { // what the service says to programs → to people in front of this page
  unauthorized: "The service did not accept the API key. Type it again at the top of the page.",
};

/** `setUp(section)` is a section's own module: it returns `start(state)`, for whenever the address leads there. */
export function createSection(host, site, setUp) {
  for (const place of host.querySelectorAll("[data-use]")) useTemplate(place, place.dataset.use);
  const part = partsOf(host);
  const terminals = {};
  for (const place of host.querySelectorAll("[data-terminal]")) {
    const { terminal: name, open } = place.dataset;
    terminals[name] = createTerminal(place, open !== undefined);
  }
  const endings = [];
  const kept = {}; // of the state, what no field has
  const fields = () => [...host.querySelectorAll("[name]")].filter(({ type, checked }) => type !== "radio" || checked);
  const chooser = host.querySelector("select[data-task]");

  /** Into the address, beside the fields. */
  function remember(values) {
    Object.assign(kept, values);
    site.remember({ ...Object.fromEntries(fields().map(({ name, value }) => [name, value])), ...kept });
  }

  /** Fills parts, by name, with a text or elements. */
  function show(contents) {
    for (const [name, content] of Object.entries(contents)) part[name].replaceChildren(...[content].flat());
  }

  /** A form's values by name, numbers as numbers, what is empty left out. */
  function valuesOf(form) {
    if (!form.reportValidity()) throw new VitrineError("A field has no valid value.");
    return Object.fromEntries([...form.elements].filter(({ name, value }) => name && value !== "").map(({ name, type, value }) =>
      [name, type === "number" || type === "range" ? Number(value) : value]));
  }

  function say(note, isFailure = note !== "") {
    show({ note });
    part.note.hidden = note === "";
    host.classList.toggle("stale", isFailure);
  }

  function fail(error) {
    const isKnown = error instanceof VitrineError;
    if (!isKnown) console.error(error);
    say(isKnown ? PLAIN_WORDS[error.code] ?? sentence(error.message) : "The page sent an invalid request. Please reload it.");
  }

  /** A path of the API: the chosen model, unless it is the first one offered, and all of the query that is not empty. */
  function pathTo(route, query = {}) {
    const isDefault = !chooser?.value || chooser.selectedIndex === 0;
    const given = Object.entries({ ...query, ...(!isDefault && !("model" in query) && { model: chooser.value }) });
    const search = new URLSearchParams(given.filter(([, value]) => value !== "" && value !== undefined));
    return search.size ? `${route}?${search}` : route;
  }

  /** The service, for one job; `ask` and `events` show their command, and where the time went. */
  function serviceFor(signal, terminal) {
    const { vitrine } = site;
    const options = {
      signal,
      onWait: (seconds, error) => say(waitingSentence(seconds, error, loadingSentence(site.models, chooser?.value))),
    };
    const shown = async (call, path, command) => {
      showCommand(path, command, terminal);
      const answer = await call;
      say("");
      terminal?.showTiming(answer);
      return answer;
    };
    const ask = (path, content) => vitrine.ask(path, content, "model", options);
    return {
      signal,
      pause: (duration) => pause(duration, signal),
      image: async (path) => (await vitrine.image(path, options)).body,
      askQuietly: async (...request) => (await ask(...request)).body,
      ask: async (...request) => (await shown(ask(...request), ...request)).body,
      events: async (path, content, command = content) => (await shown(vitrine.stream(path, content, options), path, command)).events,
    };
  }

  /**
   * A function that runs `job(service, …)`, aborting the one before; it resolves to whether it was the newest to the end.
   * `terminal` names the place of the section that shows its request.
   */
  function action(job, { whileRunning = () => {}, terminal = "main" } = {}) {
    const newest = newestOnly();
    async function run(...values) {
      whileRunning(true);
      try {
        await newest((signal) => job(serviceFor(signal, terminals[terminal]), ...values));
      } catch (error) {
        if (error instanceof Superseded) return false;
        fail(error);
      }
      whileRunning(false);
      return true;
    }
    run.stop = () => {
      newest(() => {}).catch(() => {});
      whileRunning(false);
    };
    endings.push(run.stop);
    return run;
  }

  /** The same, never faster than the answers come. */
  function paced(job, options) {
    const run = action(job, options);
    const { push, cancel } = createLatestOnly(run);
    endings.push(cancel);
    return Object.assign(push, { stop() { cancel(); run.stop(); } });
  }

  /** A module that is not needed at first; what does not arrive is asked for again once the service answers. */
  async function later(load) {
    try {
      return await load();
    } catch {
      say("A part of the page did not arrive. It is loaded again as soon as the service answers.");
      await site.vitrine.ask("v1/models", null, "object", {});
      say("");
      return load().catch(() => { throw new VitrineError("A part of the page did not arrive. Please reload the page."); });
    }
  }

  function showCommand(path, content, terminal = terminals.main) {
    terminal?.showRequest(new URL(path, site.vitrine.address ?? document.baseURI).href, content, { withKey: Boolean(site.vitrine.key) });
  }

  host.addEventListener("submit", (event) => event.preventDefault());
  host.addEventListener("change", () => remember());
  host.addEventListener("click", ({ target: { form, dataset } }) => {
    if (!dataset?.dice) return; // it names the fields that get another random seed
    for (const name of dataset.dice.split(" ")) form.elements[name].value = Math.floor(Math.random() * 2 ** 32);
    form.dispatchEvent(new Event("change", { bubbles: true }));
  });

  /** The names of the models of a task, the released ones first. */
  const named = (task) => namesOf(site.models, task);
  const section = { part, site, show, action, paced, later, remember, say, valuesOf, pathTo, showCommand, named, chooser, terminals };

  /** Offers the models of the section's task; whether another one is chosen by that. */
  section.offerModels = (wanted) => {
    if (!chooser) return false;
    const before = chooser.value;
    const names = named(chooser.dataset.task).filter((name) => !chooser.dataset.without || !name.startsWith(chooser.dataset.without));
    offer(chooser, names, wanted);
    chooser.closest(".chooser").hidden = names.length < 2;
    return before !== chooser.value;
  };
  const start = setUp(section);
  let isFirstList = false; // the section opened before any list was there, with the model that is offered first
  let wanted = null; // the model of the address then
  return {
    open(state) {
      isFirstList = !site.models.length;
      wanted = isFirstList ? state.get("model") : null;
      section.offerModels(state.get("model"));
      for (const field of fields()) if (field !== chooser && state.has(field.name)) field.value = state.get(field.name);
      Object.assign(kept, state.has("strokes") && { strokes: state.get("strokes") });
      start(state);
    },
    /** The list of models is another one. */
    refresh() {
      const isOther = section.offerModels(wanted) && !(isFirstList && chooser.selectedIndex === 0);
      isFirstList = false;
      wanted = null;
      if (isOther) chooser.dispatchEvent(new Event("change", { bubbles: true }));
    },
    close: () => endings.forEach((end) => end()),
  };
}
