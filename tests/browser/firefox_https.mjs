/**
 * A student's Firefox on `vitrine serve --lan` with the certificate that `vitrine certificate` makes: it warns, and once that
 * is accepted a drawing, the live camera and a photo in its place are answered. The camera is Firefox's own stand-in.
 *
 *   node --experimental-websocket firefox_https.mjs https://127.0.0.1:8000 screenshots
 */

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { withFirefox } from "./firefox_browser.mjs";
import { FOUR } from "./support.mjs";

const SEVEN_PNG = fileURLToPath(new URL("../../docs/seven.png", import.meta.url));
const HOST = "#section-digits";
const CAMERA = { "media.navigator.streams.fake": true, "media.navigator.permission.disabled": true };
const NO_CAMERA = { "media.navigator.streams.fake": false, "media.navigator.permission.disabled": true };
const [base, folder = "screenshots", binary = "firefox-esr"] = process.argv.slice(2);

const part = (name) => `document.querySelector("${HOST} [data-part=${name}]")`;
const reads = (digit) => `${part("digit")}.textContent === "${digit}" && ${part("caption")}.textContent.startsWith("read by")`;
const SAMPLE = `${part("caption")}?.textContent.startsWith("a sample, read by")`;
const click = (page, name) => page.evaluate(`${part(name)}.click()`);

await mkdir(folder, { recursive: true });

await withFirefox(binary, {}, async (page) => {
  await assert.rejects(page.goto(base), /CERT|ISSUER|SECURITY/i);
  console.log("firefox: warns of a certificate that nobody vouches for");
});

await withFirefox(binary, { preferences: CAMERA, capabilities: { acceptInsecureCerts: true } }, async (page, errors) => {
  await page.goto(base);
  assert.equal(await page.evaluate("isSecureContext"), true);
  await page.waitFor(SAMPLE, "the sample is not answered");
  await page.draw(`${HOST} canvas[data-part=canvas]`, FOUR);
  await page.waitFor(reads(4), "the drawn 4 is not read");
  await page.screenshot(path.join(folder, "firefox-drawn.png"));
  console.log("firefox: reads the drawn 4 over https");

  const before = await page.evaluate(`${part("seen")}.src`);
  await click(page, "camera");
  await page.waitFor(`document.querySelector("${HOST} .camera video")?.videoWidth > 0`, "the camera shows nothing");
  await page.screenshot(path.join(folder, "firefox-camera.png"));
  await page.evaluate(`document.querySelector("${HOST} .camera button.main").click()`);
  // Firefox's stand-in is a coloured area with a line of dashes: refused, or read as some digit.
  await page.waitFor(`!document.querySelector("${HOST} .camera") && (${part("note")}.textContent.startsWith("The image must show") || ${part("seen")}.src !== ${JSON.stringify(before)})`,
    "what the camera took is not answered");
  await page.screenshot(path.join(folder, "firefox-taken.png"));
  console.log("firefox: takes a photo with the live camera");
  assert.deepEqual(errors, []);
});

await withFirefox(binary, { preferences: NO_CAMERA, capabilities: { acceptInsecureCerts: true } }, async (page, errors) => {
  await page.goto(base);
  await page.waitFor(SAMPLE, "the sample is not answered");
  await click(page, "camera");
  await page.waitFor(`${part("cameraNote")}.textContent.includes("Choose a photo instead") && !${part("cameraNote")}.hidden`, "it is not said that there is no camera");
  await page.setFile(`${HOST} [data-part=photo]`, SEVEN_PNG);
  await page.waitFor(reads(7), "the photo of a 7 is not read");
  await page.screenshot(path.join(folder, "firefox-no-camera.png"));
  console.log("firefox: without a camera it says so and reads a photo");
  assert.deepEqual(errors, []);
});
process.exit(0);
