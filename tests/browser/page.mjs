/**
 * Opens the demo page in a real browser and draws a seven.
 *
 *   node page.mjs http://127.0.0.1:8000 screenshots
 *
 * CHROMIUM names another browser. Exit code 0: everything held.
 */

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { chromium } from "playwright-core";

const SEVEN = [[0.3, 0.25], [0.7, 0.25], [0.6, 0.48], [0.48, 0.8]]; // in the unit square
const BROWSER = {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
  ],
};
const VIEWS = {
  light: { viewport: { width: 1280, height: 800 }, colorScheme: "light" },
  dark: { viewport: { width: 1280, height: 800 }, colorScheme: "dark" },
  phone: { viewport: { width: 360, height: 740 }, colorScheme: "light", deviceScaleFactor: 2, hasTouch: true },
};

async function main(base, folder) {
  await mkdir(folder, { recursive: true });
  const browser = await chromium.launch(BROWSER);
  try {
    for (const [name, options] of Object.entries(VIEWS)) {
      await checkView(browser, { name, options, base, folder });
      console.log(`${name}: the page reads 7`);
    }
    await checkKeyboard(browser, base);
    console.log("keyboard: drawn, undone and cleared");
    await checkUpload(browser, base);
    console.log("upload: a dropped text file is refused in a sentence");
  } finally {
    await browser.close();
  }
}

async function checkView(browser, { name, options, base, folder }) {
  const { page, complaints } = await openPage(browser, base, options);
  await page.locator("#caption", { hasText: "a sample" }).waitFor();
  await page.waitForTimeout(1300); // the sample draws itself
  await page.screenshot({ path: path.join(folder, `${name}-sample.png`) });

  await draw(page, SEVEN);
  await page.locator("#digit", { hasText: "7" }).waitFor();
  await page.locator("#live", { hasText: "reads 7" }).waitFor({ state: "attached" });
  await page.locator("#seen").waitFor();
  await page.locator("#layers figure").first().waitFor({ timeout: 5000 }).catch(() => {}); // some builds show none
  await page.waitForTimeout(300); // the last transition
  await page.screenshot({ path: path.join(folder, `${name}.png`), fullPage: true });

  assert.equal(await page.locator("#bars .best .name").textContent(), "7", "the longest bar is 7's");
  const widths = await page.evaluate(() =>
    [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  assert.ok(widths[0] <= widths[1], `${name}: scrolls sideways, ${widths.join(" > ")}`);
  assert.deepEqual(complaints, [], `${name}: the browser has nothing to complain about`);
  await page.context().close();
}

async function checkKeyboard(browser, base) {
  const { page, complaints } = await openPage(browser, base, VIEWS.light);
  await page.locator("#caption", { hasText: "a sample" }).waitFor();
  await page.locator("#canvas").focus();
  await page.keyboard.press("Space");
  for (let step = 0; step < 14; step += 1) await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Space");
  await page.locator("#live", { hasText: "reads 1" }).waitFor({ state: "attached" });
  await page.keyboard.press("Control+z");
  await page.locator("#digit", { hasText: "–" }).waitFor();
  assert.deepEqual(complaints, []);
  await page.context().close();
}

async function checkUpload(browser, base) {
  const { page } = await openPage(browser, base, VIEWS.light);
  await page.locator("#caption", { hasText: "a sample" }).waitFor();
  const file = { name: "it's.png", mimeType: "image/png", buffer: Buffer.from("no picture") };
  await page.locator("#file").setInputFiles(file);
  await page.locator("#note").waitFor();
  assert.ok((await page.locator("#note").textContent()).length > 20, "the note says what to do");
  await page.context().close();
}

/** A page on which every error, and every request to another host, is written down. */
async function openPage(browser, base, options) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const complaints = [];
  const { origin } = new URL(base);
  page.on("console", (message) => {
    // a stroke that has just begun may be refused (422); the page says so itself
    const isRefusal = message.text().includes("status of 422");
    if (message.type() === "error" && !isRefusal) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => {
    const isLocal = ["data:", "blob:"].some((scheme) => request.url().startsWith(scheme));
    if (!isLocal && new URL(request.url()).origin !== origin) complaints.push(`went to ${request.url()}`);
  });
  await page.goto(base);
  return { page, complaints };
}

/** Draws with the mouse, as a hand does: in small steps. */
async function draw(page, points) {
  const { x, y, width, height } = await page.locator("#canvas").boundingBox();
  const at = ([right, down]) => [x + right * width, y + down * height];
  await page.mouse.move(...at(points[0]));
  await page.mouse.down();
  for (const point of points.slice(1)) await page.mouse.move(...at(point), { steps: 12 });
  await page.mouse.up();
}

const [base, folder] = process.argv.slice(2);
if (!base || !folder) {
  console.error("usage: node page.mjs <address of the service> <folder for screenshots>");
  process.exit(2);
}
await main(base.endsWith("/") ? base : `${base}/`, folder);
