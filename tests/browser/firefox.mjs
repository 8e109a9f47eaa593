/**
 * A smoke test in Firefox, over WebDriver BiDi: every section opens, and nothing is thrown.
 *
 *   node --experimental-websocket firefox.mjs http://127.0.0.1:8000 firefox-esr
 */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

const SECTIONS = {
  digits: "a sample, read by digits/", text: "First characters after", labels: "by labels/", vae: "nats to draw it",
  gan: "coarse of the first", models: "parameters", course: "5.1.1",
};
const [base, binary = "firefox-esr"] = process.argv.slice(2);

/** Starts Firefox; `command(method, params)` resolves to its result, `errors` are those of the pages. */
async function start(profile) {
  const browser = spawn(binary, ["--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0"], { stdio: ["ignore", "ignore", "pipe"] });
  const address = await new Promise((resolve, reject) => {
    let said = "";
    browser.stderr.on("data", (bytes) => {
      said += bytes;
      const found = said.match(/WebDriver BiDi listening on (ws:\S+)/);
      if (found) resolve(found[1]);
    });
    browser.on("exit", () => reject(new Error(`Firefox ended: ${said}`)));
    browser.on("error", reject);
  });
  const socket = new WebSocket(`${address}/session`);
  await new Promise((resolve, reject) => { Object.assign(socket, { onopen: resolve, onerror: reject }); });
  const waiting = new Map();
  const errors = [];
  let id = 0;
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (message.method === "log.entryAdded" && message.params.level === "error") errors.push(message.params.text);
    const { resolve, reject } = waiting.get(message.id) ?? {};
    if (message.type === "success") resolve(message.result);
    if (message.type === "error") reject(new Error(message.message));
  };
  const command = (method, params) => new Promise((resolve, reject) => {
    waiting.set(id += 1, { resolve, reject });
    socket.send(JSON.stringify({ id, method, params }));
  });
  return { browser, command, errors };
}

const profile = await mkdtemp(path.join(tmpdir(), "firefox-"));
const { browser, command, errors } = await start(profile);
try {
  await command("session.new", { capabilities: {} });
  await command("session.subscribe", { events: ["log.entryAdded"] });
  const { context } = (await command("browsingContext.getTree", {})).contexts[0];
  await command("browsingContext.navigate", { context, url: base, wait: "complete" });
  const evaluate = async (expression) =>
    (await command("script.evaluate", { expression, target: { context }, awaitPromise: true })).result.value;
  for (const [name, words] of Object.entries(SECTIONS)) {
    await evaluate(`location.hash = "#${name}"`);
    const isThere = `(() => { const host = document.getElementById("section-${name}"); return !host.hidden && host.textContent.includes(${JSON.stringify(words)}); })()`;
    let holds = false;
    for (let attempt = 0; attempt < 300 && !holds; attempt += 1) {
      holds = await evaluate(isThere);
      if (!holds) await new Promise((resolve) => { setTimeout(resolve, 100); });
    }
    assert.ok(holds, `${name}: no “${words}” in half a minute`);
    console.log(`firefox: ${name} is open`);
  }
  assert.deepEqual(errors, []);
} finally {
  browser.kill();
  await new Promise((resolve) => { browser.once("exit", resolve); if (browser.exitCode !== null) resolve(); });
  await rm(profile, { recursive: true, force: true, maxRetries: 5 });
}
process.exit(0);
