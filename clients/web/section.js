/** What every section has: its parts, its state in the address, requests of which the newest wins, their commands. */

import { newestOnly, pause, Superseded, VitrineError } from "./api.js";
import { make, partsOf, useTemplate } from "./dom.js";
import { createLatestOnly } from "./latest_only.js";
import { curlCommand, milliseconds, sentence, waitingSentence } from "./format.js";

/** `setUp(section)` is a section's own module: it returns `start(state)`, for whenever the address leads there. */
export function createSection(host, site, setUp) {
  for (const place of host.querySelectorAll("[data-use]")) useTemplate(place, place.dataset.use);
  const part = partsOf(host);
  const endings = [];
  const kept = {}; // of the state, what no field has
  const fields = () => [...host.querySelectorAll("[name]")].filter(({ type, checked }) => type !== "radio" || checked);

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
    if (!form.reportValidity()) throw new VitrineError("One of the fields is not filled in as it has to be.");
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
    say(isKnown ? sentence(error.message) : "This page made a mistake. Please reload it.");
  }

  /** The service, for one job; `ask` and `events` show their command, and where the time went. */
  function serviceFor(signal) {
    const { vitrine } = site;
    const options = { signal, onWait: (seconds, error) => say(waitingSentence(seconds, error)) };
    const shown = async (call, path, command) => {
      showCommand(path, command);
      const answer = await call;
      say("");
      showTiming(answer);
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

  /** A function that runs `job(service, …)`, aborting the one before; it resolves to whether none newer came. */
  function action(job, whileRunning = () => {}) {
    const newest = newestOnly();
    async function run(...values) {
      whileRunning(true);
      try {
        await newest((signal) => job(serviceFor(signal), ...values));
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
  function paced(job) {
    const run = action(job);
    const { push, cancel } = createLatestOnly(run);
    endings.push(cancel);
    return Object.assign(push, { stop() { cancel(); run.stop(); } });
  }

  function showCommand(path, content) {
    const isFile = content instanceof Blob;
    const posted = isFile ? { file: content.name ?? "digit.png" } : { json: content };
    show({ curl: curlCommand(new URL(path, document.baseURI).href, { ...posted, withKey: Boolean(site.vitrine.key) }) });
    part.save.hidden = !isFile || "name" in content;
    if (part.save.hidden) return;
    URL.revokeObjectURL(part.save.href);
    part.save.href = URL.createObjectURL(content);
  }

  function showTiming({ timing, roundTripMs }) {
    const steps = timing.map((step, index) => ({ ...step, kind: `step-${index % 4}` }));
    part.timing.hidden = !steps.length;
    show({
      bar: steps.map((step) => make(`span.${step.kind}`, { style: `flex-grow: ${step.milliseconds}` })),
      legend: [...steps.map((step) => make("li", make(`span.swatch.${step.kind}`), `${step.name} ${milliseconds(step.milliseconds)}`)),
        make("li", `there and back ${milliseconds(roundTripMs)}`)],
    });
  }

  part.copy.onclick = async () => {
    try {
      await navigator.clipboard.writeText(part.curl.textContent);
    } catch { // no clipboard without https: select it, so that two keys copy it
      getSelection().selectAllChildren(part.curl);
      document.execCommand("copy");
    }
    show({ copy: "Copied" });
    setTimeout(show, 1500, { copy: "Copy" });
  };
  host.addEventListener("submit", (event) => event.preventDefault());
  host.addEventListener("change", () => remember());
  host.addEventListener("click", ({ target: { form, dataset } }) => {
    if (!dataset?.dice) return; // it names the fields that get another random seed
    for (const name of dataset.dice.split(" ")) form.elements[name].value = Math.floor(Math.random() * 2 ** 32);
    form.dispatchEvent(new Event("change", { bubbles: true }));
  });

  /** The names of the models of a task. */
  const named = (task) => site.models.filter((model) => model.task === task).map(({ id }) => id);
  const start = setUp({ part, site, show, action, paced, remember, say, valuesOf, showCommand, named });
  return {
    open(state) {
      for (const field of fields()) if (state.has(field.name)) field.value = state.get(field.name);
      start(state);
    },
    close: () => endings.forEach((end) => end()),
  };
}
