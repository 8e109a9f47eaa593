/** Firefox over WebDriver BiDi: what playwright is for Chromium, for the few things that are tested in both. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

const HALF_A_MINUTE = 300; // attempts, ten a second

/**
 * Starts Firefox, runs `body(page, errors)`, ends it. `errors` are those that pages throw or log.
 *
 * preferences: of about:config. capabilities: of the WebDriver session, such as acceptInsecureCerts.
 */
export async function withFirefox(binary, { preferences = {}, capabilities = {} }, body) {
  const profile = await mkdtemp(path.join(tmpdir(), "firefox-"));
  const lines = Object.entries(preferences).map(([name, value]) => `user_pref("${name}", ${JSON.stringify(value)});\n`);
  await writeFile(path.join(profile, "user.js"), lines.join(""));
  const browser = spawn(binary, ["--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0"], { stdio: ["ignore", "ignore", "pipe"] });
  try {
    const { command, errors } = await connect(await addressOf(browser));
    await command("session.new", { capabilities: { alwaysMatch: capabilities } });
    await command("session.subscribe", { events: ["log.entryAdded"] });
    const { context } = (await command("browsingContext.getTree", {})).contexts[0];
    await body(pageOf(command, context), errors);
  } finally {
    browser.kill();
    await new Promise((resolve) => { browser.once("exit", resolve); if (browser.exitCode !== null) resolve(); });
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

function addressOf(browser) {
  return new Promise((resolve, reject) => {
    let said = "";
    browser.stderr.on("data", (bytes) => {
      said += bytes;
      const found = said.match(/WebDriver BiDi listening on (ws:\S+)/);
      if (found) resolve(found[1]);
    });
    browser.on("exit", () => reject(new Error(`Firefox ended: ${said}`)));
    browser.on("error", reject);
  });
}

/** `command(method, params)` resolves to its result. */
async function connect(address) {
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
  return { command, errors };
}

function pageOf(command, context) {
  const evaluateRaw = async (expression) => {
    const answer = await command("script.evaluate", { expression, target: { context }, awaitPromise: true });
    assert.equal(answer.type, "success", `${expression}: ${answer.exceptionDetails?.text}`);
    return answer.result;
  };
  const evaluate = async (expression) => (await evaluateRaw(expression)).value;
  return {
    evaluate,
    goto: (url) => command("browsingContext.navigate", { context, url, wait: "complete" }),
    async waitFor(expression, what) {
      for (let attempt = 0; attempt < HALF_A_MINUTE; attempt += 1) {
        if (await evaluate(expression)) return;
        await new Promise((resolve) => { setTimeout(resolve, 100); });
      }
      assert.fail(`${what} in half a minute`);
    },
    /** strokes: lists of points in the unit square of the element that `selector` finds. */
    async draw(selector, strokes) {
      const [left, top, width, height] = JSON.parse(await evaluate(`(() => {
        const element = document.querySelector(${JSON.stringify(selector)});
        element.scrollIntoView({ block: "center" });
        const { x, y, width, height } = element.getBoundingClientRect();
        return JSON.stringify([x, y, width, height]);
      })()`));
      const moveTo = ([right, down], duration) => ({ type: "pointerMove", x: Math.round(left + right * width), y: Math.round(top + down * height), duration });
      const actions = strokes.flatMap(([first, ...others]) => [
        moveTo(first, 0), { type: "pointerDown", button: 0 }, ...others.map((point) => moveTo(point, 200)), { type: "pointerUp", button: 0 }]);
      await command("input.performActions", { context, actions: [{ type: "pointer", id: "mouse", parameters: { pointerType: "mouse" }, actions }] });
    },
    async setFile(selector, file) {
      const { sharedId } = await evaluateRaw(`document.querySelector(${JSON.stringify(selector)})`);
      await command("input.setFiles", { context, element: { sharedId }, files: [file] });
    },
    async screenshot(file) {
      const { data } = await command("browsingContext.captureScreenshot", { context });
      await writeFile(file, Buffer.from(data, "base64"));
    },
  };
}
