/** What the browser tests share: the browser, its views, a page that writes down what is wrong, a hand that draws. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

import { standIn } from "./stand_ins.mjs";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

export const SEVEN = [[[0.3, 0.25], [0.7, 0.25], [0.6, 0.48], [0.48, 0.8]]]; // strokes in the unit square
export const FOUR = [[[0.42, 0.15], [0.25, 0.58], [0.78, 0.58]], [[0.64, 0.3], [0.6, 0.88]]];
export const BROWSER = {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
  ],
};
export const VIEWS = {
  light: { viewport: { width: 1280, height: 800 }, colorScheme: "light" },
  phone: { viewport: { width: 360, height: 740 }, colorScheme: "dark", deviceScaleFactor: 2, hasTouch: true },
};

const complaintsOf = new WeakMap(); // of a page

const PATIENCE_MS = 300_000; // work at low priority waits long on a busy machine

/** Every page ends here: nothing sideways, nothing inaccessible, no complaint. */
export async function finish(page, complaints, name) {
  const widths = await page.evaluate(() =>
    [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  assert.ok(widths[0] <= widths[1], `${name}: scrolls sideways, ${widths.join(" > ")}`);
  assert.deepEqual(await violations(page), [], `${name}: accessible`);
  assert.deepEqual(complaints, [], `${name}: the browser has nothing to complain about`);
  await page.context().close();
}

async function violations(page) {
  const source = await readFile(AXE, "utf8");
  await page.evaluate(source); // not as an element of the page, which its security policy would refuse
  const found = await page.evaluate(() => globalThis.axe.run());
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`);
}

export async function waitFor(holds, what) {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end;) {
    if (await holds()) return;
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
  assert.fail(what);
}

/** A page on which every error, and every request to another host, is written down. */
export async function openPage(browser, base, options) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const complaints = [];
  complaintsOf.set(page, complaints);
  const { origin } = new URL(base);
  page.on("console", (message) => {
    // a stroke that has just begun may be refused (422), and everything on a busy machine (429); the page says so itself,
    // and asks again
    const isRefusal = /status of (422|429)/.test(message.text());
    if (message.type() === "error" && !isRefusal) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => {
    const isLocal = ["data:", "blob:"].some((scheme) => request.url().startsWith(scheme));
    if (!isLocal && new URL(request.url()).origin !== origin) complaints.push(`went to ${request.url()}`);
  });
  if (base.startsWith("http")) await standIn(page, base.split("#")[0]);
  await page.goto(base);
  return { page, complaints };
}

/** What every open page tells its user and its console, for whoever reads a failure. */
async function whatPagesSay(browser) {
  const pages = browser.contexts().flatMap((context) => context.pages());
  const told = await Promise.all(pages.map(async (page) => {
    const texts = await page.locator("[role=status], .note, .state").allTextContents().catch(() => ["cannot be asked"]);
    return `${page.url()} says “${texts.filter(Boolean).join(" | ")}”, its console ${JSON.stringify(complaintsOf.get(page) ?? [])}`;
  }));
  return told.join("; ") || "none is open";
}

/** Runs a check; an error names it and tells what the pages say. */
export const explained = (browser, name, check) => check().catch(async (error) => {
  throw new Error(`“${name}” does not hold; the pages: ${await whatPagesSay(browser)}`, { cause: error });
});

/** Draws with the mouse, as a hand does: in small steps. */
export async function draw(page, strokes, section = "#section-digits") {
  const canvas = page.locator(`${section} canvas[data-part=canvas]`);
  await canvas.scrollIntoViewIfNeeded();
  const { x, y, width, height } = await canvas.boundingBox();
  const at = ([right, down]) => [x + right * width, y + down * height];
  for (const [first, ...others] of strokes) {
    await page.mouse.move(...at(first));
    await page.mouse.down();
    for (const point of others) await page.mouse.move(...at(point), { steps: 12 });
    await page.mouse.up();
  }
}
