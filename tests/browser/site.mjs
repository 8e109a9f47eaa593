/**
 * Opens the page that `vitrine site` wrote, with every other host out of reach: each section answers from graphs.
 *
 *   node site.mjs http://127.0.0.1:8871 screenshots
 *   node site.mjs http://127.0.0.1:8871 --strokes     only measures, from a stroke's points to their answers on the page
 *
 * CHROMIUM names another browser. Exit code 0: everything held.
 */

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { chromium } from "playwright-core";

import { BROWSER, SEVEN, VIEWS, draw, explained, openPage, waitFor } from "./support.mjs";


async function main(base, folder) {
  await mkdir(folder, { recursive: true });
  const browser = await chromium.launch(BROWSER);
  try {
    for (const [name, check] of Object.entries({ digits, text, labels, vae, gan, models, course })) {
      const context = await open(browser, `${base}/#${name}`);
      await explained(browser, name, () => check(context.page));
      await context.page.screenshot({ path: path.join(folder, `site-${name}.png`) });
      await leave(context, name);
      console.log(`site: ${name} is answered in the page`);
    }
    await explained(browser, "without SIMD", () => withoutSimd(browser, base));
    console.log("site: without SIMD it says what is missing");
    await measure(browser, base);
  } finally {
    await browser.close();
  }
}

/** A page that complains of each request to another host, as `openPage` does, but has no service to stand in for. */
async function open(browser, address, before = () => {}) {
  const made = await openPage(browser, "about:blank", VIEWS.light);
  const { origin } = new URL(address);
  made.complaints.length = 0;
  made.page.removeAllListeners("request");
  made.page.on("request", (request) => {
    const url = new URL(request.url());
    if (!["data:", "blob:"].includes(url.protocol) && url.origin !== origin) made.complaints.push(`went to ${url}`);
  });
  await before(made.page);
  await made.page.goto(address);
  return made;
}

async function leave({ page, complaints }, name) {
  assert.deepEqual(complaints, [], `${name}: the browser has nothing to complain about`);
  await page.context().close();
}

const section = (page, name) => page.locator(`#section-${name}`);
const checked = (page, model) => page.locator("main > p[role=status]", { hasText: `${model} (off by at most` }).waitFor();

async function digits(page) {
  await checked(page, "digits");
  await draw(page, SEVEN);
  const host = section(page, "digits");
  await host.locator("[data-part=digit]", { hasText: "7" }).waitFor();
  await host.locator("[data-part=layers] img").first().waitFor();
  await host.getByRole("button", { name: "Enlarge conv2" }).click({ position: { x: 10, y: 10 } });
  await host.locator(".enlarged .lines dd").nth(2).waitFor();
  const amounts = (await host.locator(".enlarged .sum > b, .enlarged .lines dd").allTextContents()).map((text) => Number(text.replace("−", "-")));
  const [value, sum] = [amounts.pop(), amounts.pop()];
  assert.ok(Math.abs(amounts.reduce((total, each) => total + each, 0) - sum) < 0.04, `${amounts} makes ${sum}`);
  assert.equal(value, Math.max(0, sum), "the map's value is the sum that is shown");
  await host.locator("[data-part=explain]").click();
  await host.locator("[data-part=heat][alt*='a 7']").waitFor();
  await host.locator("[data-part=comparison] summary").click();
  await host.locator("[data-part=compared] h3", { hasText: "digits-course" }).waitFor();
  assert.match(await host.locator("[data-terminal=main] [data-part=code]").first().textContent(), /127\.0\.0\.1:8000\/v1\/digits\/classify/);
}

async function text(page) {
  const host = section(page, "text");
  await host.locator("[data-part=caption]", { hasText: "characters a second" }).waitFor();
  await host.locator("[data-part=form] button[type=submit]:enabled").waitFor();
  await waitFor(() => host.locator("[data-part=goOn]").isEnabled(), "the texts end");
  const lengths = () => host.locator("[data-part=columns] .writing").evaluateAll((all) => all.map((each) => each.textContent.length));
  const before = await lengths();
  await host.locator("[data-part=goOn]").click();
  await waitFor(async () => (await lengths()).every((length, index) => length > before[index]), "the texts go on");
  await host.locator("[data-part=stop]").evaluate((button) => button.click()); // which does nothing where they have ended
  await checked(page, "text");
}

async function labels(page) {
  const host = section(page, "labels");
  await host.locator("[data-part=bars]", { hasText: "cat" }).waitFor();
  await host.locator("[data-part=heads] h3").nth(1).waitFor();
  await host.locator("[data-part=explain]").click();
  await host.locator("[data-part=heatCaption]", { hasText: "class activation map" }).waitFor();
  await checked(page, "labels");
}

async function vae(page) {
  const host = section(page, "vae");
  await host.locator("[data-part=maps] figcaption, [data-part=maps] p", { hasText: "decoded by ae-2d" }).first().waitFor();
  await waitFor(() => host.locator("[data-part=map] img").evaluateAll((all) => all.length === 2 && all.every((image) => image.naturalWidth === 560)),
    "both maps are drawn");
  await host.locator("[data-part=colouring] input").first().check();
  await host.locator("[data-part=map] canvas").first().waitFor();
  await draw(page, SEVEN, "#section-vae");
  await host.locator("[data-part=returned] figure").nth(3).waitFor();
  await host.locator("[data-part=way] figure").nth(8).waitFor();
}

async function gan(page) {
  const host = section(page, "gan");
  await host.locator("[data-part=samples] img").nth(23).waitFor();
  const before = await host.locator("[data-part=edited] img").nth(1).getAttribute("src");
  await host.locator("[data-part=sliders] input").first().fill("3");
  await waitFor(async () => await host.locator("[data-part=edited] img").nth(1).getAttribute("src") !== before, "the digit is moved");
  await host.locator("[data-part=mixed] figure").nth(1).waitFor();
  await draw(page, SEVEN, "#section-gan");
  await host.locator("[data-part=find]:enabled").click();
  await host.locator("[data-part=note]", { hasText: "vitrine serve" }).waitFor();
}

async function models(page) {
  const host = section(page, "models");
  await host.locator("[data-part=name]", { hasText: "digits/" }).waitFor();
  await host.locator("[data-part=figures] li").first().waitFor();
}

const course = (page) => section(page, "course").locator("[data-exercise]").first().waitFor();

/** Nothing is lost of the page but the answers; each says why. */
async function withoutSimd(browser, base) {
  const { page, complaints } = await open(browser, `${base}/#digits`, (each) =>
    each.addInitScript("WebAssembly.validate = () => false"));
  await section(page, "digits").locator("[data-part=note]", { hasText: "needs WebAssembly with SIMD" }).waitFor();
  await page.goto(`${base}/#course`);
  await course(page);
  await leave({ page, complaints }, "without SIMD");
}

/** From the last point of a stroke, and then from one more, until the answer is in the document. */
async function strokes(base) {
  const browser = await chromium.launch(BROWSER);
  const { page } = await open(browser, `${base}/#digits`);
  await checked(page, "digits");
  await page.waitForTimeout(3000);
  await page.evaluate(() => {
    let asked = 0;
    document.querySelector("#section-digits canvas[data-part=canvas]").addEventListener("pointermove", (event) => {
      if (event.buttons) asked = event.timeStamp;
    }, true);
    new MutationObserver(() => { globalThis.latest = performance.now() - asked; })
      .observe(document.querySelector("#section-digits [data-part=seen]"), { attributes: true, attributeFilter: ["src"] });
  });
  const { x, y, width, height } = await section(page, "digits").locator("canvas[data-part=canvas]").boundingBox();
  const move = ([right, down], steps) => page.mouse.move(x + right * width, y + down * height, { steps });
  const latest = async () => {
    await page.waitForTimeout(700);
    return page.evaluate(() => globalThis.latest);
  };
  const [quick, single] = [[], []];
  for (let round = 0; round < 22; round += 1) {
    await section(page, "digits").getByRole("button", { name: "Clear" }).click();
    await move(SEVEN[0][0], 1);
    await page.mouse.down();
    for (const point of SEVEN[0].slice(1)) await move(point, 10);
    quick.push(await latest());
    await move([0.46, 0.83], 1);
    single.push(await latest());
    await page.mouse.up();
  }
  await browser.close();
  for (const [name, times] of Object.entries({ "a quick stroke": quick, "one more point": single })) {
    times.splice(0, 2);
    times.sort((one, other) => one - other);
    console.log(`measured: ${name} to its answer ${times[10].toFixed(0)} ms (median of 20), ${times.at(-1).toFixed(0)} ms at most`);
  }
}

/** Figures for docs/site.md: nothing is asserted of times. */
async function measure(browser, base) {
  const { page } = await open(browser, `${base}/#digits`);
  await checked(page, "digits");
  await draw(page, SEVEN);
  await page.waitForTimeout(1500);
  const times = [];
  for (let round = 0; round < 20; round += 1) {
    times.push(await page.evaluate(async (strokes) => {
      const { strokesToPng } = await import("./page/strokes.js");
      const { createLocalFetch } = await import("./page/local/service.js");
      globalThis.localFetch ??= createLocalFetch();
      const began = performance.now();
      const response = await globalThis.localFetch("v1/digits/classify?return=input", { method: "POST", body: await strokesToPng(strokes) });
      const { predictions: [{ digit }] } = await response.json();
      return digit === 7 ? performance.now() - began : Infinity;
    }, SEVEN));
  }
  times.splice(0, 3); // they load and check the graph anew
  times.sort((one, other) => one - other);
  console.log(`measured: stroke to answer ${times[8].toFixed(1)} ms (median of ${times.length}), ${times.at(-1).toFixed(1)} ms at most`);
  const bytes = await page.evaluate(() => performance.getEntriesByType("resource").map(({ name, decodedBodySize }) => [new URL(name).pathname, decodedBodySize]));
  console.log(`measured: ${bytes.length} files, ${(bytes.reduce((sum, [, size]) => sum + size, 0) / 1e6).toFixed(2)} MB before compression`);
}

const [base, folder = "screenshots"] = process.argv.slice(2);
await (folder === "--strokes" ? strokes : main)(base.replace(/\/$/, ""), folder);
