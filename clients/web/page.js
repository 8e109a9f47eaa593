/** Wires the page: rooms, of which one is open, as the address says. A room is its section, its link, and its module. */

import { formatAddress, parseAddress } from "./address.js";
import { Vitrine } from "./api.js";
import { useTemplate } from "./dom.js";
import { createRoom } from "./room.js";

const ROOMS = {
  digits: () => import("./digits.js"),
  text: () => import("./text.js"),
  labels: () => import("./labels.js"),
  vae: () => import("./vae.js"),
  gan: () => import("./gan.js"),
  models: () => import("./models.js"),
};
const LOADING_MS = 3000; // while a model loads, its room may still open

const keyForm = document.getElementById("key-form");
const vitrine = new Vitrine();
const made = {};
let models = null; // not known yet
let isKnown = false; // or there was no answer, and the room says why
let current = "";
let opened = ""; // current, unless it waits for its models

/** Whether a room's models are there, as far as is known. */
const isServed = ({ dataset: { task } }) => !models || models.some((model) => (task ? model.task === task : model.task));
const section = (name) => document.getElementById(`room-${name}`);

async function follow() {
  const { room, state } = parseAddress(location.hash);
  const name = Object.hasOwn(ROOMS, room) ? room : "digits";
  const host = section(name);
  if (current !== name) made[current]?.close();
  current = name;
  for (const each of Object.keys(ROOMS)) {
    const link = document.querySelector(`nav a[href="#${each}"]`);
    section(each).hidden = each !== name;
    link.ariaCurrent = each === name ? "page" : "false";
    if (each === name) document.title = `${link.textContent} · Vitrine`;
  }
  host.classList.toggle("missing", !isServed(host));
  host.querySelector(".lack")?.remove();
  if (!isServed(host)) return useTemplate(host, "lack");
  if (!isKnown && name !== "digits") return;
  opened = name;
  const { default: setUp } = await ROOMS[name]();
  made[name] ??= createRoom(host, {
    vitrine,
    get models() { return models ?? []; },
    remember: (values) => name === current && history.replaceState(null, "", formatAddress(name, values)),
  }, setUp);
  if (name === current) made[name].open(name === room ? state : new URLSearchParams());
}

async function findModels() {
  const before = isServed(section(current));
  try {
    models = (await vitrine.ask("v1/models", null, "object")).body.data;
  } catch {
    // the room that is open says what is wrong
  }
  isKnown = true;
  if (models?.some(({ ready }) => ready === false)) setTimeout(findModels, LOADING_MS);
  if (opened !== current || before !== isServed(section(current))) follow();
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
