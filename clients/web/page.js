/**
 * Wires the page: rooms, of which one is open, as the address says.
 *
 * A room is its section `#room-<name>`, its link in the navigation, a line in ROOMS, and a module
 * whose default class has `open(state, models)`, called whenever the address leads to it, and
 * `close()`, which aborts what is under way.
 */

import { formatAddress, parseAddress } from "./address.js";
import { Vitrine } from "./api.js";

const ROOMS = {
  digits: { title: "Digits", isShown: (tasks) => tasks.includes("classify_digit"), load: () => import("./digits.js") },
  text: { title: "Text", isShown: (tasks) => tasks.includes("generate_text"), load: () => import("./text.js") },
  vae: { title: "VAE", isShown: (tasks) => tasks.includes("autoencode_image"), load: () => import("./vae.js") },
  models: { title: "Models", isShown: (tasks) => tasks.length > 0, load: () => import("./models.js") },
};
const LOADING_MS = 3000; // while a model loads, its room may still appear

const keyForm = document.getElementById("key-form");
const vitrine = new Vitrine();
const made = {};
let models = null; // not known yet
let current = "";

const link = (name) => document.querySelector(`nav a[href="#${name}"]`);
const isOffered = (name) => Object.hasOwn(ROOMS, name) && !link(name).hidden;

/** The room that the address names, else the first. */
function wanted() {
  const { room } = parseAddress(location.hash);
  return isOffered(room) ? room : Object.keys(ROOMS).find(isOffered) ?? "digits";
}

async function follow() {
  const { room, state } = parseAddress(location.hash);
  const name = wanted();
  if (current !== name) made[current]?.close();
  current = name;
  for (const each of Object.keys(ROOMS)) {
    document.getElementById(`room-${each}`).hidden = each !== name;
    if (each === name) link(each).setAttribute("aria-current", "page");
    else link(each).removeAttribute("aria-current");
  }
  document.title = `${ROOMS[name].title} · Vitrine`;
  const { default: Room } = await ROOMS[name].load();
  made[name] ??= new Room(document.getElementById(`room-${name}`), {
    vitrine,
    remember: (values) => name === current && history.replaceState(null, "", formatAddress(name, values)),
  });
  if (name === current) made[name].open(name === room ? state : new URLSearchParams(), models ?? []);
}

async function findModels() {
  try {
    models = (await vitrine.models()).body.data;
  } catch {
    return; // the room that is open says what is wrong
  }
  const tasks = models.map(({ task }) => task).filter(Boolean);
  for (const [name, { isShown }] of Object.entries(ROOMS)) link(name).hidden = !isShown(tasks);
  if (models.some(({ ready }) => ready === false)) setTimeout(findModels, LOADING_MS);
  if (wanted() !== current) follow();
}

vitrine.onUnauthorized = () => { keyForm.hidden = false; };
keyForm.addEventListener("submit", async (event) => {
  event.preventDefault();
  vitrine.key = keyForm.elements.key.value.trim();
  keyForm.hidden = true;
  await findModels();
  follow();
});
addEventListener("hashchange", follow);
if (["", "digits"].includes(parseAddress(location.hash).room)) follow(); // at once; others may not be served
await findModels();
if (!current) follow();
