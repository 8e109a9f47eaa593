/**
 * Opens the demo page in a real browser: draws a seven, lets a model write, reads the cards.
 *
 *   node page.mjs http://127.0.0.1:8000 screenshots             # --measure: and how quickly it paints and answers
 *
 * CHROMIUM names another browser. Exit code 0: everything held.
 */

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { chromium } from "playwright-core";

import { serveBelow } from "./prefix.mjs";
import { BROWSER, FOUR, SEVEN, VIEWS, draw, explained, finish, openPage, waitFor } from "./support.mjs";

async function main(base, folder, { isMeasured }) {
  await mkdir(folder, { recursive: true });
  const browser = await chromium.launch(BROWSER);
  try {
    const holds = async (name, check) => {
      await explained(browser, name, check);
      console.log(name);
    };
    for (const [name, options] of Object.entries(VIEWS)) {
      const view = { name, options, base, folder };
      await holds(`${name}: the page reads 7`, () => checkView(browser, view));
      await holds(`${name}: a text streams, stops and goes on`, () => checkText(browser, view));
      await holds(`${name}: the latent spaces are walked`, () => checkVae(browser, view));
      await holds(`${name}: a photo has labels`, () => checkLabels(browser, view));
      await holds(`${name}: digits are made, found and edited`, () => checkGan(browser, view));
      await holds(`${name}: a drawn 4 is found, thickened and slanted`, () => checkFour(browser, view));
      await holds(`${name}: the cards are shown`, () => checkModels(browser, view));
    }
    await holds("sections: the address leads there and back", () => checkSections(browser, base));
    await holds("keyboard: drawn, undone and cleared", () => checkKeyboard(browser, base));
    await holds("upload: a dropped text file is refused in a sentence", () => checkUpload(browser, base));
    await holds("prefix: the page works below a path", () => checkPrefix(browser, base));
    await holds("key: asked for, sent, and the section opens", () => checkKey(browser, base));
    await holds("busy: said, waited for, asked again", () => checkBusy(browser, base));
    await holds("policy: nothing unsafe", () => checkPolicy(base));
    if (isMeasured) await measure(browser, base);
  } finally {
    await browser.close();
  }
}

async function checkView(browser, { name, options, base, folder }) {
  const { page, complaints } = await openPage(browser, base, options);
  await page.locator("#section-digits .fine", { hasText: "a sample" }).waitFor();
  await page.waitForTimeout(1300); // the sample draws itself
  await page.screenshot({ path: path.join(folder, `${name}-sample.png`) });

  await draw(page, SEVEN);
  await page.locator(".digit", { hasText: "7" }).waitFor();
  await page.locator("#section-digits [role=status]", { hasText: "reads 7" }).waitFor({ state: "attached" });
  await page.locator("#section-digits [data-part=seen]").waitFor();
  await page.locator(".strip figure").first().waitFor();
  await page.waitForTimeout(300); // the last transition
  await page.screenshot({ path: path.join(folder, `${name}.png`), fullPage: true });

  await page.locator("#section-digits .answer > .bars .best .name", { hasText: "7" }).waitFor();
  await finish(page, complaints, name);
}

async function checkText(browser, { name, options, base, folder }) {
  const { page, complaints } = await openPage(browser, `${base}#text?seed=ROMEO%3A+&random_seed=7&length=120`, options);
  const section = page.locator("#section-text");
  const texts = section.locator(".answer .writing");
  const written = async () => (await texts.allTextContents()).map((text) => text.length - "ROMEO: ".length);
  const button = (label) => section.getByRole("button", { name: label, exact: true });
  await waitFor(async () => (await written()).join() === "120,120,120", "three texts of the length asked for");
  await button("Go on").click();
  await waitFor(async () => (await written()).join() === "240,240,240", "each text goes on");
  await waitFor(async () => (await button("Stop").isDisabled()), "the stream ends after its last character"); // or this one would be stopped
  const [beginning] = await texts.allTextContents();

  await section.getByRole("spinbutton", { name: "Characters" }).fill("5000");
  await section.evaluate(stopOnceAllBegin, "ROMEO: ".length + 20);
  await button("Write").click();
  await waitFor(async () => (await button("Stop").isDisabled()) && Math.min(...await written()) > 20, "characters come, and then no more");
  const stopped = await written();
  assert.ok(Math.max(...stopped) < 5000, `${name}: stopped at ${stopped}`);
  await section.getByRole("spinbutton", { name: "Characters" }).fill("100");
  await button("Go on").click();
  await waitFor(async () => Math.min(...await written()) === Math.max(...stopped) + 100, "a stopped text goes on");
  const [again] = await texts.allTextContents();
  const common = Math.min(beginning.length, again.length);
  assert.equal(again.slice(0, common), beginning.slice(0, common), "the same numbers, the same text");

  await button("40 random letters").click();
  assert.match(await section.getByLabel("How it begins").inputValue(), /^[A-Za-z]{40}$/);
  await section.locator(".short .tint").nth(39).waitFor();
  assert.match(page.url(), /#text\?seed=\w{40}&/);
  await waitFor(async () => Math.min(...await written()) > 20, "characters to look at");
  await texts.first().locator(".tint").nth(5).waitFor({ state: "attached" });
  await texts.first().focus();
  for (let step = 0; step < 3; step += 1) await page.keyboard.press("ArrowRight");
  assert.equal(await section.locator(".current").count(), 1, "the keyboard looks at one character");
  await section.locator(".details li .best, .details li.best").first().waitFor();
  await waitFor(async () => (await button("Stop").isDisabled()), "the last text is written");
  await page.screenshot({ path: path.join(folder, `${name}-text.png`), fullPage: true });

  await section.getByLabel("How it begins").fill("\u4e16");
  await button("Write").click();
  await section.locator(".note").waitFor();
  assert.ok((await section.locator(".note").textContent()).length > 20, "the note says what to do");
  await finish(page, complaints, name);
}

/** In the page, which is quicker than a command to the browser: stops when every text has `least` characters and is being written. */
function stopOnceAllBegin(section, least) {
  const stop = section.querySelector("[data-part=stop]");
  new MutationObserver((_, observer) => {
    const texts = [...section.querySelectorAll(".answer .writing")];
    if (stop.disabled || texts.some(({ textContent }) => textContent.length < least)) return;
    observer.disconnect();
    stop.click();
  }).observe(section, { childList: true, subtree: true, characterData: true });
}

async function checkVae(browser, { name, options, base, folder }) {
  const { page, complaints } = await openPage(browser, `${base}#vae?z=0.500,-0.500`, options);
  const section = page.locator("#section-vae");
  const places = () => section.locator(".certainty").allTextContents();
  const decoded = () => section.getByAltText("What the decoder makes of this place").first().getAttribute("src");
  await waitFor(async () => (await places()).join() === "z = (0.50, −0.50),z = (0.50, −0.50)", "the address says where");
  await section.locator(".map img[src^=blob]").nth(1).waitFor();
  await waitFor(decoded, "the place is decoded");
  const before = await decoded();
  const { x, y, width, height } = await section.locator(".map").first().boundingBox();
  await page.mouse.move(x + width * 0.2, y + height * 0.8);
  await waitFor(async () => (await decoded()) !== before, "the pointer walks");
  assert.match((await places())[0], /^z = \(−\d\.\d\d, \d\.\d\d\)$/, "left is below zero, down above");
  assert.equal((await places())[1], "z = (0.50, −0.50)", "each map is walked on its own");
  const [there] = await places();
  await section.locator(".map").first().focus();
  await page.keyboard.press("ArrowRight");
  await waitFor(async () => (await places())[0] !== there, "the arrow keys walk too");
  await waitFor(() => page.url().includes("z=-"), "the address remembers");

  await waitFor(async () => (await section.getByText(/nats to draw it/).count()) === 3, "each model gives the sample back");
  assert.equal(await section.locator(".landed[visibility=visible]").count(), 2, "it landed on both maps");
  const steps = section.getByRole("region", { name: "The steps" }).locator("img");
  await waitFor(async () => (await steps.count()) === 9, "nine steps from one to the other");
  const first = await steps.first().getAttribute("src");
  await section.getByRole("button", { name: "From my drawing" }).click();
  await waitFor(async () => (await steps.first().getAttribute("src")) !== first, "the way begins at the drawing");
  await page.screenshot({ path: path.join(folder, `${name}-vae.png`), fullPage: true });
  await section.getByRole("button", { name: "Clear" }).click();
  assert.equal(await section.locator(".landed[visibility=visible]").count(), 0, "nothing drawn, nothing landed");
  await finish(page, complaints, name);
}

async function checkLabels(browser, { name, options, base, folder }) {
  const { page, complaints } = await openPage(browser, `${base}#labels`, options);
  const section = page.locator("#section-labels");
  await section.locator("[data-part=file]").setInputFiles({ name: "photo.png", mimeType: "image/png", buffer: await photo(page) });
  await waitFor(async () => (await section.locator(".answer .bars li").count()) === 5, "five labels");
  assert.match(await section.locator(".answer .value").first().textContent(), /\d %$/);
  await waitFor(async () => (await section.locator(".columns .bars").count()) === 2, "both heads");
  assert.match(await section.locator("[data-part=verdict]").textContent(), /^The two (agree|differ): |^This is probably not clothing/);
  await waitFor(async () => (await section.locator("[data-terminal=main] pre").textContent()).includes("@photo.png"), "the command names the file");
  await section.locator(".timing span").first().waitFor();
  await page.screenshot({ path: path.join(folder, `${name}-labels.png`), fullPage: true });
  await section.getByRole("button", { name: "Clear" }).click();
  assert.equal(await section.locator(".bars li").count(), 0, "no image, no labels");
  await finish(page, complaints, name);
}

async function checkGan(browser, { name, options, base, folder }) {
  const { page, complaints } = await openPage(browser, `${base}#gan?random_seed=11&digit=3`, options);
  const section = page.locator("#section-gan");
  const source = (locator) => locator.getAttribute("src");
  await waitFor(async () => (await section.locator(".grid img").count()) === 24, "samples");
  assert.equal(await section.locator("[name=digit]").inputValue(), "3", "the address says which");
  const sample = section.locator(".grid img").first();
  const before = await source(sample);
  await section.getByRole("button", { name: "Another random seed" }).click();
  await waitFor(async () => (await source(sample)) !== before, "another seed, another digit");
  assert.doesNotMatch(page.url(), /random_seed=11(&|$)/);

  await section.getByRole("button", { name: "Find it" }).click();
  await section.locator(".strip", { hasText: "found" }).waitFor();
  await section.locator("[role=status]", { hasText: "Found" }).waitFor({ state: "attached" });
  const moved = section.getByAltText("as it is moved");
  await moved.waitFor();
  const found = await source(moved);
  await section.getByRole("slider", { name: /thickness/ }).fill("2");
  await waitFor(async () => (await source(moved)) !== found, "the slider moves it");
  await waitFor(async () => (await section.locator("[data-terminal=edit] pre").textContent()).includes("v1/gan/edit"), "the command edits");
  await section.getByRole("button", { name: "From the moved one" }).click();
  await waitFor(async () => (await section.getByRole("region", { name: "The steps" }).locator("img").count()) === 9, "nine steps");
  await waitFor(async () => (await section.getByAltText(/^coarse of the/).count()) === 2, "two mixed");
  await page.screenshot({ path: path.join(folder, `${name}-gan.png`), fullPage: true });
  await finish(page, complaints, name);
}

/** A 4 drawn by hand: one watches it being found, makes it thicker, slants it, and sees how real it looks. */
async function checkFour(browser, { name, options, base, folder }) {
  const { page, complaints } = await openPage(browser, `${base}#gan`, options);
  const section = page.locator("#section-gan");
  const [was, moved] = ["as it was", "as it is moved"].map((caption) => section.getByAltText(caption));
  await moved.waitFor();
  await draw(page, FOUR, "#section-gan");
  const found = await section.locator("[data-part=found]").evaluateHandle((host) => {
    const frames = [];
    new MutationObserver((changes) => frames.push(...changes.flatMap(({ addedNodes }) => [...addedNodes])
      .map((node) => node.querySelector("img")?.src).filter(Boolean))).observe(host, { childList: true });
    return frames;
  });
  await section.getByRole("button", { name: "Find it" }).click();
  await section.locator("[role=status]", { hasText: "Found" }).waitFor({ state: "attached" });
  const frames = await found.jsonValue();
  assert.ok(new Set(frames).size >= 3, `one watches it come: ${frames.length} frames`);
  assert.equal(await was.getAttribute("src"), frames.at(-1), "the sliders begin where it was found");

  const move = async (direction) => {
    const before = await moved.getAttribute("src");
    await section.getByRole("slider", { name: direction }).fill("2");
    await waitFor(async () => (await moved.getAttribute("src")) !== before, `${direction} moves it`);
  };
  await move("thickness");
  assert.ok(await inkOf(moved) > await inkOf(was), "thicker is more ink");
  await move("slant");
  assert.equal(await was.getAttribute("src"), frames.at(-1), "what was found stays beside it");
  const discriminated = section.getByRole("list", { name: "Probability of being real" }).getByRole("listitem");
  await waitFor(async () => (await discriminated.count()) === 3, "the discriminator rates the drawing, what was found, and what is moved");
  for (const text of await discriminated.allTextContents()) assert.match(text, /\d %$/);
  await page.screenshot({ path: path.join(folder, `${name}-four.png`), fullPage: true });
  await section.getByRole("button", { name: "Clear" }).click();
  assert.equal(await discriminated.count(), 2, "no drawing, no probability of it");
  assert.ok(await section.getByRole("button", { name: "Find it" }).isDisabled(), "and nothing to find");
  await finish(page, complaints, name);
}

const inkOf = (element) => element.evaluate(async (image) => {
  await image.decode();
  const canvas = Object.assign(document.createElement("canvas"), { width: 28, height: 28 });
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0, 28, 28);
  return context.getImageData(0, 0, 28, 28).data.reduce((sum, value) => sum + value, 0);
});

/** A photo of a sort: the page's own image of itself. */
const photo = (page) => page.screenshot({ clip: { x: 0, y: 0, width: 320, height: 240 } });

async function checkModels(browser, { name, options, base, folder }) {
  const { page, complaints } = await openPage(browser, `${base}#models?model=text`, options);
  const section = page.locator("#section-models");
  await section.locator("h2", { hasText: "text/" }).waitFor();
  await section.locator(".curve path").first().waitFor();
  const texts = () => section.locator(".writing").allTextContents();
  const last = await texts();
  await section.getByLabel("Moment of the training").fill("0");
  assert.notDeepEqual(await texts(), last, "the samples change with the training");
  await page.screenshot({ path: path.join(folder, `${name}-models.png`), fullPage: true });
  await section.getByText("vae-2d", { exact: true }).click();
  await section.getByAltText("manifold of vae-2d").waitFor();
  await section.getByText("gan", { exact: true }).click();
  for (const measure of ["d loss", "g loss", "encoder loss"]) await section.getByRole("img", { name: `${measure}: ` }).waitFor();
  await section.getByAltText("samples by training time of gan").waitFor();
  await page.screenshot({ path: path.join(folder, `${name}-card.png`), fullPage: true });
  await section.getByText("digits-course").click();
  await section.locator("h2", { hasText: "digits-course/" }).waitFor();
  await finish(page, complaints, name);
}

async function checkSections(browser, base) {
  const { page, complaints } = await openPage(browser, base, VIEWS.light);
  const isOpen = (name) => page.locator(`#section-${name}`).waitFor();
  await isOpen("digits");
  await page.getByRole("link", { name: "Models" }).click();
  await isOpen("models");
  await page.goBack();
  await isOpen("digits");
  await page.goto(`${base}#no-such-section`);
  await isOpen("digits");
  assert.deepEqual(complaints, []);
  await page.context().close();
}

async function checkKeyboard(browser, base) {
  const { page, complaints } = await openPage(browser, base, VIEWS.light);
  await page.locator("#section-digits .fine", { hasText: "a sample" }).waitFor();
  await page.locator("#section-digits canvas[data-part=canvas]").focus();
  await page.keyboard.press("Space");
  for (let step = 0; step < 14; step += 1) await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Space");
  await page.locator("#section-digits [role=status]", { hasText: "reads 1" }).waitFor({ state: "attached" });
  await page.keyboard.press("Control+z");
  await page.locator(".digit", { hasText: "–" }).waitFor();
  assert.deepEqual(complaints, []);
  await page.context().close();
}

async function checkUpload(browser, base) {
  const { page } = await openPage(browser, base, VIEWS.light);
  await page.locator("#section-digits .fine", { hasText: "a sample" }).waitFor();
  const file = { name: "it's.png", mimeType: "image/png", buffer: Buffer.from("no image") };
  await page.locator("#section-digits [data-part=file]").setInputFiles(file);
  await page.locator("#section-digits .note").waitFor();
  assert.ok((await page.locator("#section-digits .note").textContent()).length > 20, "the note says what to do");
  await page.context().close();
}

async function checkPrefix(browser, base) {
  const proxy = await serveBelow("/models/vitrine/", base);
  try {
    const { page, complaints } = await openPage(browser, proxy.address, VIEWS.light);
    await page.locator("#section-digits .fine", { hasText: "a sample" }).waitFor();
    assert.ok((await page.locator("#section-digits [data-terminal=main] pre").textContent()).includes("/models/vitrine/v1/digits/classify"));
    for (const section of ["text", "vae", "models"]) await page.goto(`${proxy.address}#${section}`);
    await page.locator("#section-models h2", { hasText: "/1" }).first().waitFor();
    await page.goto(`${proxy.address}#text?length=50`);
    await waitFor(async () => (await page.locator("#section-text .answer .writing .tint").count()) === 150, "texts stream through");
    assert.deepEqual(complaints, []);
    await page.context().close();
  } finally {
    proxy.close();
  }
}

async function checkKey(browser, base) {
  const { page } = await openPage(browser, "about:blank", VIEWS.light);
  await page.route((url) => url.pathname.startsWith("/v1/"), (route) => (route.request().headers()["x-api-key"] === "sesame"
    ? route.continue()
    : route.fulfill({ status: 401, json: { error: "this service needs an API key", code: "unauthorized", request_id: "r" } })));
  await page.goto(base);
  await page.getByLabel("This service asks for an API key").fill("sesame");
  await page.getByRole("button", { name: "Use it" }).click();
  await page.locator("#section-digits .fine", { hasText: "a sample" }).waitFor();
  const command = await page.locator("#section-digits [data-terminal=main] pre").textContent();
  assert.ok(command.includes("$VITRINE_API_KEY") && !command.includes("sesame"), "the command names the variable, not the key");
  assert.ok(!page.url().includes("sesame"));
  await page.context().close();
}

async function checkBusy(browser, base) {
  const { page } = await openPage(browser, "about:blank", VIEWS.light);
  let isBusy = true;
  await page.route("**/v1/digits/classify*", (route) => (isBusy
    ? route.fulfill({ status: 429, headers: { "Retry-After": "6" }, json: { error: "the queue is full", code: "overloaded", request_id: "r" } })
    : route.continue()));
  await page.goto(base);
  await page.locator("#section-digits .note", { hasText: /sent again in \d s/ }).waitFor();
  isBusy = false;
  await page.locator("#section-digits .fine", { hasText: "a sample" }).waitFor();
  assert.ok(await page.locator("#section-digits .note").isHidden(), "once answered, nothing is said");
  await page.context().close();
}

async function checkPolicy(base) {
  const policy = (await fetch(base, { headers: { Accept: "text/html" } })).headers.get("Content-Security-Policy");
  assert.match(policy, /default-src 'none'/);
  assert.doesNotMatch(policy, /unsafe/);
}

/** Says how soon the page is painted, and how long after a stroke's movement its answer is shown. */
async function measure(browser, base) {
  const { page } = await openPage(browser, base, VIEWS.light);
  await page.locator("#section-digits .fine", { hasText: "a sample" }).waitFor();
  const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0].startTime);
  await draw(page, SEVEN);
  await page.waitForTimeout(1500);
  const delays = [];
  for (let stroke = 0; stroke < 15; stroke += 1) {
    const box = await page.locator("#section-digits canvas[data-part=canvas]").boundingBox();
    const [x, y] = [box.x + box.width * (0.6 - 0.008 * stroke), box.y + box.height * (0.48 + 0.0213 * stroke)]; // on the stem
    const shown = page.evaluate(() => new Promise((resolve) => {
      document.addEventListener("pointerdown", () => {
        const began = performance.now();
        new MutationObserver((_, observer) => { observer.disconnect(); resolve(performance.now() - began); })
          .observe(document.querySelector("#section-digits .digit"), { childList: true });
      }, { once: true, capture: true });
    }));
    await page.mouse.click(x, y);
    const late = new Promise((resolve) => { setTimeout(resolve, 2000, Infinity); });
    delays.push(await Promise.race([shown, late]));
    await page.waitForTimeout(700);
  }
  const seen = delays.filter(Number.isFinite).sort((one, other) => one - other);
  console.log(`measured: first paint after ${Math.round(paint)} ms; ${seen.length} of ${delays.length} strokes seen answered, `
    + `the middle one after ${Math.round(seen[Math.floor(seen.length / 2)])} ms`);
  await page.context().close();
}

const [base, folder, option] = process.argv.slice(2);
if (!base || !folder) {
  console.error("usage: node page.mjs <address of the service> <folder for screenshots>");
  process.exit(2);
}
await main(base.endsWith("/") ? base : `${base}/`, folder, { isMeasured: option === "--measure" });
