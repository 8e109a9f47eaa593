/**
 * A smoke test in Firefox: every section opens, and nothing is thrown.
 *
 *   node --experimental-websocket firefox.mjs http://127.0.0.1:8000 firefox-esr
 */

import assert from "node:assert/strict";

import { withFirefox } from "./firefox_browser.mjs";

const SECTIONS = {
  digits: "a sample, read by digits/", text: "First characters after", labels: "by labels/", vae: "nats to draw it",
  gan: "coarse of the first", models: "parameters", course: "5.1.1",
};
const [base, binary = "firefox-esr"] = process.argv.slice(2);

await withFirefox(binary, {}, async (page, errors) => {
  await page.goto(base);
  for (const [name, words] of Object.entries(SECTIONS)) {
    await page.evaluate(`location.hash = "#${name}"`);
    await page.waitFor(`(() => { const host = document.getElementById("section-${name}"); return !host.hidden && host.textContent.includes(${JSON.stringify(words)}); })()`,
      `${name}: no “${words}”`);
    console.log(`firefox: ${name} is open`);
  }
  assert.deepEqual(errors, []);
});
process.exit(0);
