/**
 * Screenshots of the page in use, for the animation of the README (see animation.py).
 *
 *   node animation.mjs http://127.0.0.1:8000 FOLDER
 *
 * Writes FOLDER/000-1200.png, …: the order, and for how many milliseconds a frame stands.
 */

import { mkdir } from "node:fs/promises";
import path from "node:path";
import { chromium } from "playwright-core";

import { BROWSER, FOUR, SEVEN, draw, waitFor } from "./support.mjs";

const VIEW = { viewport: { width: 1240, height: 860 }, colorScheme: "light" };
const [url, folder] = process.argv.slice(2);
const base = url.replace(/\/*$/, "/");
let frames = 0;

async function open(browser, address) {
  const page = await (await browser.newContext(VIEW)).newPage();
  await page.goto(address);
  return page;
}

async function frame(page, milliseconds) {
  const number = String(frames).padStart(3, "0");
  await page.screenshot({ path: path.join(folder, `${number}-${milliseconds}.png`) });
  frames += 1;
}

/** Waits, and takes a frame whenever some time has passed, until `done` holds. */
async function film(page, done, milliseconds = 250, most = 14) {
  for (let taken = 0; taken < most && !(await done()); taken += 1) {
    await page.waitForTimeout(milliseconds);
    await frame(page, milliseconds);
  }
}

async function digits(browser) {
  const page = await open(browser, base);
  await page.locator("#section-digits .fine", { hasText: "a sample" }).waitFor();
  await page.waitForTimeout(1300);
  const [[corner, ...rest]] = SEVEN;
  let from = corner;
  for (const point of rest) { // one part of the stroke after the other, with the answer to each
    await draw(page, [[from, point]]);
    await page.waitForTimeout(500);
    await frame(page, 500);
    from = point;
  }
  await page.locator("#section-digits [role=status]", { hasText: "reads 7" }).waitFor({ state: "attached" });
  await page.waitForTimeout(500);
  await frame(page, 1800);
  await page.context().close();
}

async function text(browser) {
  const page = await open(browser, `${base}#text?seed=ROMEO%3A+&random_seed=7&length=3000`);
  const texts = page.locator("#section-text .answer .writing");
  await texts.first().waitFor();
  const least = async () => Math.min(...(await texts.allTextContents()).map(({ length }) => length));
  await film(page, async () => (await least()) >= 3000, 150, 10);
  await frame(page, 1800);
  await page.context().close();
}

async function latents(browser) {
  const page = await open(browser, `${base}#vae`);
  const map = page.locator("#section-vae [data-part=map] canvas, #section-vae [data-part=map] img").first();
  await map.waitFor();
  await map.scrollIntoViewIfNeeded();
  await page.waitForTimeout(1500);
  const { x, y, width, height } = await map.boundingBox();
  for (let step = 0; step <= 6; step += 1) {
    await page.mouse.move(x + (width * (1 + step)) / 8, y + (height * (6.5 - step * 0.8)) / 8, { steps: 4 });
    await page.waitForTimeout(300);
    await frame(page, 350);
  }
  await page.context().close();
}

async function edit(browser) {
  const page = await open(browser, `${base}#gan`);
  const section = page.locator("#section-gan");
  const moved = section.getByAltText("as it is moved");
  await moved.waitFor();
  await draw(page, FOUR, "#section-gan");
  await section.getByRole("button", { name: "Find it" }).click();
  await section.locator("[role=status]", { hasText: "Found" }).waitFor({ state: "attached" });
  const slider = section.getByRole("slider", { name: /thickness/ });
  await slider.scrollIntoViewIfNeeded();
  await frame(page, 1200);
  for (const strength of ["-2", "-1", "0", "1", "2", "3"]) {
    const before = await moved.getAttribute("src");
    await slider.fill(strength);
    await waitFor(async () => strength === "0" || (await moved.getAttribute("src")) !== before, "the slider moves it");
    await page.waitForTimeout(200);
    await frame(page, strength === "3" ? 1800 : 450);
  }
  await page.context().close();
}

await mkdir(folder, { recursive: true });
const browser = await chromium.launch(BROWSER);
try {
  for (const scene of [digits, text, latents, edit]) await scene(browser);
  console.log(`${frames} frames`);
} finally {
  await browser.close();
}
