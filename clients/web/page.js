/** Wires the page: sections, of which one is open, as the address says. A section is its section, its link, and its module. */

import { formatAddress, parseAddress } from "./url_state.js";
import { Vitrine } from "./api.js";
import { useTemplate } from "./dom.js";
import { createSection } from "./section.js";

const SECTIONS = {
  digits: () => import("./digits.js"),
  text: () => import("./text.js"),
  labels: () => import("./labels.js"),
  vae: () => import("./vae.js"),
  gan: () => import("./gan.js"),
  models: () => import("./models.js"),
};
const LOADING_MS = 3000; // while a model loads, its section may still open

const keyForm = document.getElementById("key-form");
const vitrine = new Vitrine();
const made = {};
let models = null; // not known yet
let isKnown = false; // or there was no answer, and the section says why
let current = "";
let opened = ""; // current, unless it waits for its models

/** Whether a section's models are there, as far as is known. */
const isServed = ({ dataset: { task } }) => !models || models.some((model) => (task ? model.task === task : model.task));
const hostOf = (name) => document.getElementById(`section-${name}`);

async function follow() {
  const { section, state } = parseAddress(location.hash);
  const name = Object.hasOwn(SECTIONS, section) ? section : "digits";
  const host = hostOf(name);
  if (current !== name) made[current]?.close();
  current = name;
  for (const each of Object.keys(SECTIONS)) {
    const link = document.querySelector(`nav a[href="#${each}"]`);
    hostOf(each).hidden = each !== name;
    link.ariaCurrent = each === name ? "page" : "false";
    if (each === name) document.title = `${link.textContent} · Vitrine`;
  }
  host.classList.toggle("missing", !isServed(host));
  host.querySelector(".lack")?.remove();
  if (!isServed(host)) return useTemplate(host, "lack");
  if (!isKnown && name !== "digits") return;
  opened = name;
  const { default: setUp } = await SECTIONS[name]();
  made[name] ??= createSection(host, {
    vitrine,
    get models() { return models ?? []; },
    remember: (values) => name === current && history.replaceState(null, "", formatAddress(name, values)),
  }, setUp);
  if (name === current) made[name].open(name === section ? state : new URLSearchParams());
}

async function findModels() {
  const before = isServed(hostOf(current));
  try {
    models = (await vitrine.ask("v1/models", null, "object")).body.data;
  } catch {
    // the section that is open says what is wrong
  }
  isKnown = true;
  if (models?.some(({ ready }) => ready === false)) setTimeout(findModels, LOADING_MS);
  if (opened !== current || before !== isServed(hostOf(current))) follow();
}

vitrine.onUnauthorized = () => { keyForm.hidden = false; };
keyForm.onsubmit = async (event) => {
  event.preventDefault();
  vitrine.key = keyForm.elements.key.value.trim();
  keyForm.hidden = true;
  await findModels();
  follow();
};
addEventListener("hashchange", follow);
follow();
findModels();
