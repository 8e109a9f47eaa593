/** What every room has: its parts, its state in the address, requests of which the newest wins, and what is said of them. */

import { newestOnly, pause, Superseded, VitrineError } from "./api.js";
import { make, partsOf, useTemplate } from "./dom.js";
import { createPacer } from "./pace.js";
import { curlCommand, milliseconds, sentence, waitingSentence } from "./words.js";

/**
 * `site`: the service as `vitrine`, the `models` known by now, and `remember(state)` for the address.
 * `setUp(room)` is a room's own module; it returns `start(state)`, called whenever the address leads there.
 */
export function createRoom(host, site, setUp) {
  for (const place of host.querySelectorAll("[data-use]")) useTemplate(place, place.dataset.use);
  const part = partsOf(host);
  const endings = [];
  const kept = {}; // of the state, what no field has
  const fields = () => [...host.querySelectorAll("[name]")].filter(({ type, checked }) => type !== "radio" || checked);

  /** Puts fields and `values` into the address. */
  function remember(values) {
    Object.assign(kept, values);
    site.remember({ ...Object.fromEntries(fields().map(({ name, value }) => [name, value])), ...kept });
  }

  function say(text, isFailure = text !== "") {
    part.note.textContent = text;
    part.note.hidden = text === "";
    host.classList.toggle("stale", isFailure);
  }

  function fail(error) {
    const isKnown = error instanceof VitrineError;
    if (!isKnown) console.error(error);
    say(isKnown ? sentence(error.message) : "This page made a mistake. Please reload it.");
  }

  /** What a job sees of the service; `ask` and `events` show their command, and where the time went. */
  function serviceFor(signal) {
    const options = { signal, onWait: (seconds, error) => say(waitingSentence(seconds, error)) };
    const shown = async (path, command, call) => {
      showCommand(path, command);
      const answer = await call;
      say("");
      showTiming(answer);
      return answer;
    };
    const ask = (...request) => site.vitrine.ask(...request, options);
    return {
      signal,
      pause: (duration) => pause(duration, signal),
      picture: async (path) => (await site.vitrine.picture(path, options)).body,
      askQuietly: async (...request) => (await ask(...request)).body,
      ask: async (path, content, expected) => (await shown(path, content, ask(path, content, expected))).body,
      events: async (path, content, command = content) =>
        (await shown(path, command, site.vitrine.stream(path, content, options))).events,
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
    const { push, cancel } = createPacer(run);
    endings.push(cancel);
    return Object.assign(push, { stop() { cancel(); run.stop(); } });
  }

  function showCommand(path, content) {
    const { curl, save } = part;
    const isFile = content instanceof Blob;
    const posted = isFile ? { file: content.name ?? "digit.png" } : { json: content };
    curl.textContent = curlCommand(new URL(path, document.baseURI).href, { ...posted, withKey: Boolean(site.vitrine.key) });
    save.hidden = !isFile || "name" in content;
    if (save.hidden) return;
    URL.revokeObjectURL(save.href);
    save.href = URL.createObjectURL(content);
  }

  /** A thin bar and its legend. */
  function showTiming({ timing, roundTripMs }) {
    part.timing.hidden = !timing.length;
    part.bar.replaceChildren(...timing.map((step, index) => {
      const span = make(`span.step-${index % 4}`);
      span.style.flexGrow = step.milliseconds;
      return span;
    }));
    part.legend.replaceChildren(
      ...timing.map((step, index) => make("li", make(`span.swatch.step-${index % 4}`), `${step.name} ${milliseconds(step.milliseconds)}`)),
      make("li", `there and back ${milliseconds(roundTripMs)}`));
  }

  async function copy() {
    try {
      await navigator.clipboard.writeText(part.curl.textContent);
    } catch { // no clipboard without https: select it, so that two keys copy it
      getSelection().selectAllChildren(part.curl);
      document.execCommand("copy");
    }
    part.copy.textContent = "Copied";
    setTimeout(() => { part.copy.textContent = "Copy"; }, 1500);
  }

  /** A button's `data-dice` names the fields that get another random seed. */
  function roll({ form, dataset }) {
    if (!dataset?.dice) return;
    for (const name of dataset.dice.split(" ")) form.elements[name].value = Math.floor(Math.random() * 2 ** 32);
    form.dispatchEvent(new Event("change", { bubbles: true }));
  }

  part.copy.onclick = copy;
  host.addEventListener("submit", (event) => event.preventDefault());
  host.addEventListener("click", ({ target }) => roll(target));
  host.addEventListener("change", () => remember());

  /** The names of the models of a task. */
  const named = (task) => site.models.filter((model) => model.task === task).map(({ id }) => id);
  const { start } = setUp({ part, site, action, paced, remember, say, showCommand, named });
  return {
    open(state) {
      for (const field of fields()) if (state.has(field.name)) field.value = state.get(field.name);
      start(state);
    },
    close() {
      for (const end of endings) end();
    },
  };
}
