/** Wires the page: sections, of which one is open, as the address says. A section is its element, its link, and its module. */

import { Vitrine } from "./api.js";
import { useTemplate } from "./dom.js";
import { waitingSentence } from "./format.js";
import { loadingSentence } from "./model_list.js";
import { createSection } from "./section.js";
import { formatAddress, parseAddress } from "./url_state.js";

const SECTIONS = {
  digits: () => import("./digits.js"),
  text: () => import("./text.js"),
  labels: () => import("./labels.js"),
  vae: () => import("./vae.js"),
  gan: () => import("./gan.js"),
  models: () => import("./models.js"),
  course: () => import("./course.js"),
};
const LOADING_MS = 1000; // while models load, the list is asked for so often
const REFRESH_MS = 15_000; // after that: a model may be added

const keyForm = document.getElementById("key-form");
const vitrine = await createVitrine();
const made = {};
let models = []; // as listed; none before the first answer
let isKnown = false;
let current = "";
let followed = null; // the fragment of the address that is shown; of another one a hashchange is on its way
let following = 0; // the number of the newest call of follow
let listing = 0; // and of findModels
let asking = 0; // the timer of the next question for the list

/** The service, or on a page that was written by `vitrine site` what stands in for it. */
async function createVitrine() {
  if (!document.documentElement.hasAttribute("data-local")) return new Vitrine();
  const { createLocalFetch } = await import("./local/service.js");
  const { showChecks } = await import("./local/checks.js");
  return Object.assign(new Vitrine({ fetch: createLocalFetch({ onChecked: showChecks(document.querySelector("main")) }) }), { address: "http://127.0.0.1:8000/" });
}

const hostOf = (name) => document.getElementById(`section-${name}`);
const shown = Object.keys(SECTIONS).filter(hostOf); // the service may leave some out
const isServed = ({ id, dataset: { task } }) => id === "section-course" || models.some((model) => (task ? model.task === task : model.task));

async function follow() {
  const turn = ++following;
  followed = location.hash;
  const { section, state } = parseAddress(followed);
  const name = shown.includes(section) ? section : shown[0];
  const host = hostOf(name);
  if (current !== name) made[current]?.close();
  current = name;
  for (const each of shown) {
    const link = document.querySelector(`nav a[href="#${each}"]`);
    hostOf(each).hidden = each !== name;
    link.ariaCurrent = each === name ? "page" : "false";
    if (each === name) document.title = `${link.textContent} · Vitrine`;
  }
  if (!isKnown && name !== shown[0]) return; // which model it opens with is not known yet
  if (isKnown && !isServed(host)) return showState(host);
  const module = await load(name, host);
  if (!module || turn !== following) return; // another address is followed by now
  if (isKnown && !isServed(host)) return showState(host); // the list came while the module was on its way
  showState(host, null);
  made[name] ??= createSection(host, {
    vitrine,
    get models() { return models; },
    remember: (values) => name === current && location.hash === followed && replaceAddress(name, values),
  }, module.default);
  made[name].open(name === section ? state : new URLSearchParams());
}

function replaceAddress(section, values) {
  history.replaceState(null, "", formatAddress(section, values));
  followed = location.hash;
}

/** A section's module. What did not arrive is asked for again once the service answers. */
async function load(name, host) {
  try {
    return await SECTIONS[name]();
  } catch {
    showState(host, ["A part of the page did not arrive", "It is loaded again as soon as the service answers."]);
    await listed(host);
    try {
      return await SECTIONS[name]();
    } catch { // some browsers keep a failure for as long as the page is open
      showState(host, ["A part of the page did not arrive", "Please reload the page."]);
      return null;
    }
  }
}

/** Says in the section's place why it is not open; without words it is. */
function showState(host, words = stateOf(host)) {
  host.classList.toggle("missing", words !== null);
  host.querySelector(".state")?.remove();
  if (!words) return;
  const part = useTemplate(host, "state");
  part.what.textContent = words[0];
  part.why.textContent = words[1];
  part.remedy.hidden = words[0] !== NO_MODEL;
}

const NO_MODEL = "This section has no model yet";

function stateOf({ id }) {
  const loading = loadingSentence(models, id.replace("section-", ""));
  return loading ? [loading, "The section opens by itself."]
    : [NO_MODEL, "One command builds the released models:"];
}

/** Waits for the list of models, however long that takes. */
async function listed(host) {
  const onWait = (seconds, error) => {
    if (!made[current] || host.classList.contains("missing")) showState(host, ["The service does not answer", waitingSentence(seconds, error)]);
  };
  return (await vitrine.ask("v1/models", null, "object", { onWait })).body.data;
}

async function findModels() {
  const turn = ++listing;
  clearTimeout(asking);
  const before = JSON.stringify([isKnown, models]);
  try {
    const found = await listed(hostOf(current));
    if (turn !== listing) return; // it was asked for again, with another key
    [models, isKnown] = [found, true];
  } catch {
    return; // a key is asked for
  }
  const isLoading = models.some(({ ready }) => ready === false);
  asking = setTimeout(findModels, isLoading ? LOADING_MS : REFRESH_MS);
  if (JSON.stringify([isKnown, models]) === before) return;
  const host = hostOf(current);
  if (made[current] && isServed(host) && !host.classList.contains("missing")) made[current].refresh();
  else follow();
}

vitrine.onUnauthorized = (wasSent) => {
  keyForm.hidden = false;
  keyForm.querySelector("label").textContent = wasSent ? "The service did not accept this API key" : "This service asks for an API key";
};
keyForm.onsubmit = async (event) => {
  event.preventDefault();
  vitrine.key = keyForm.elements.key.value.trim();
  keyForm.hidden = true;
  await findModels();
  if (keyForm.hidden) follow();
};
/** A link may bring the key of a class along; the address does not keep it. */
function takeKey() {
  const { section, state } = parseAddress(location.hash);
  if (!state.has("key")) return;
  vitrine.key = state.get("key");
  state.delete("key");
  replaceAddress(section, Object.fromEntries(state));
}

takeKey();
addEventListener("hashchange", () => {
  takeKey();
  follow();
});
follow();
findModels();
