/**
 * What the page promises, one check at a time.
 *
 *   node checks.mjs http://127.0.0.1:8000 loading
 *
 * Without a name all are run. Exit code 0: everything held.
 */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

import { BROWSER, FOUR, SEVEN, VIEWS, draw, explained, openPage, waitFor } from "./support.mjs";

const SEVEN_PNG = fileURLToPath(new URL("../../docs/seven.png", import.meta.url));
const EVENT_STREAM = { "Content-Type": "text/event-stream" };
const sample = (page) => page.locator("#section-digits .fine", { hasText: "a sample" }).waitFor();
const model = (id, task, ready = true) => ({ id, object: "model", task, versions: [1], ready });
const listOf = (data) => ({ json: { object: "list", data, models: data.map(({ id }) => id) } });

/** Answers requests for a path of the API before the service does. */
const answer = (page, path, reply) => page.route((url) => url.pathname.endsWith(path), (route) =>
  (typeof reply === "function" ? reply(route) : route.fulfill(reply)));

const CHECKS = {
  async "layers are those of the model that answers, down to its probabilities"(browser, base) {
    const { page } = await openPage(browser, base, VIEWS.light);
    await draw(page, SEVEN);
    const section = page.locator("#section-digits");
    await section.locator("[role=status]", { hasText: "reads 7" }).waitFor({ state: "attached" });
    const layers = section.locator("[data-part=strip] figure");
    await layers.filter({ hasText: "softmax" }).locator(".best .name", { hasText: "7" }).waitFor(); // before: of the sample
    const logits = layers.filter({ hasText: "logits" });
    assert.equal(await logits.locator(".signed").count(), 1, "logits have a zero line");
    assert.equal(await logits.locator(".best .name").textContent(), "7");
    const [name] = (await section.locator("[data-part=caption]").textContent()).match(/\S+\/\d+/);
    assert.ok((await section.locator("[data-part=layersCaption]").textContent()).includes(name), "both say which model");
  },

  async "a map that is pointed at is enlarged, and its values are the sums that are shown"(browser, base) {
    const { page } = await openPage(browser, base, VIEWS.light);
    await draw(page, SEVEN);
    const section = page.locator("#section-digits");
    await section.locator("[role=status]", { hasText: "reads 7" }).waitFor({ state: "attached" });
    const enlarged = section.locator(".enlarged");
    const lines = enlarged.locator(".lines");
    await section.getByRole("button", { name: "Enlarge conv2" }).hover({ position: { x: 60, y: 10 } });
    await enlarged.getByText(/conv2, map [2-9] of/).waitFor();
    await lines.waitFor();
    assert.match(await enlarged.textContent(), /Convolution: .*filter/);
    const amounts = async () => (await enlarged.locator(".sum > b, .lines dd").allTextContents()).map((text) => Number(text.replace("−", "-")));
    const holds = async () => {
      const found = await amounts();
      const value = found.pop();
      const sum = found.pop();
      assert.ok(Math.abs(found.reduce((total, each) => total + each, 0) - sum) < 0.04, `${found} makes ${sum}`);
      assert.equal(value, Math.max(0, sum));
    };
    await holds();
    await section.getByRole("button", { name: "Enlarge conv2" }).click({ position: { x: 10, y: 10 } });
    await enlarged.getByText("conv2, map 1 of").waitFor();
    await section.getByRole("button", { name: "Enlarge conv1" }).hover({ position: { x: 10, y: 10 } });
    await page.waitForTimeout(300);
    assert.match(await enlarged.textContent(), /conv2, map 1 of/, "a click keeps the map");
    await lines.waitFor();
    const before = await enlarged.locator(".sums").textContent();
    await enlarged.locator("canvas.map").focus();
    for (let step = 0; step < 5; step += 1) await page.keyboard.press("ArrowDown");
    await waitFor(async () => (await enlarged.locator(".sums").textContent()) !== before, "another place, another sum");
    await holds();
    await section.locator("select[data-task]").selectOption("digits-course");
    await section.locator("[data-part=layersCaption]", { hasText: "digits-course" }).waitFor();
    await section.getByRole("button", { name: "Enlarge pool1" }).click({ position: { x: 10, y: 10 } });
    await enlarged.getByText("The largest of").waitFor();
    assert.match(await enlarged.textContent(), /Pooling/);
  },

  async "a model with two classes has labels"(browser, base) {
    const { page } = await openPage(browser, "about:blank", VIEWS.light);
    await answer(page, "/v1/models", listOf([model("tiny", "classify_image")]));
    await answer(page, "/v1/images/label", (route) => route.fulfill(new URL(route.request().url()).searchParams.has("top")
      ? { status: 422, json: { error: "top must be at most 2, got 5", code: "invalid_value", request_id: "r" } }
      : { json: { model: { name: "tiny", version: 1 }, predictions: [["cat", "dog"].map((name) => ({ class_name: name, class_description: name, score: 0.5 }))] } }));
    await page.goto(`${base}#labels`);
    await waitFor(async () => (await page.locator("#section-labels .answer .bars li").count()) === 2, "both classes");
  },

  async "a model of another alphabet begins with its own seed, and what it does not know is said"(browser, base) {
    const { page } = await openPage(browser, "about:blank", VIEWS.light);
    const asked = [];
    await answer(page, "/v1/models", listOf([model("pulp", "generate_text"), model("text", "generate_text")]));
    await answer(page, "/card", (route) => {
      const name = route.request().url().includes("/pulp/") ? "pulp" : "text";
      return route.fulfill({ json: { model: { name, version: 1 }, data: { seed: `seed of ${name}`, vocabulary: " adefilmnopstux" } } });
    });
    await answer(page, "/v1/text/score", { json: { model: { name: "text", version: 1 }, characters: [{ character: "a", logprob: -1 }] } });
    await answer(page, "/v1/text/generate", (route) => {
      const body = route.request().postDataJSON();
      asked.push({ model: new URL(route.request().url()).searchParams.get("model"), ...body });
      const events = body.diversity.flatMap((_, index) => [{ index, text: "a", logprobs: [{ character: "a", logprob: -1, top: {} }] },
        { index, finish_reason: "length", random_seed: 1, continuation: "t", replaced: body.seed.includes("B") ? ["B"] : [] }]);
      return route.fulfill({ headers: EVENT_STREAM, body: `${events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("")}data: [DONE]\n\n` });
    });
    await page.goto(`${base}#text`);
    const section = page.locator("#section-text");
    await waitFor(() => asked.length === 1, "the page begins by itself");
    assert.equal(asked[0].model, null, "the released model comes first");
    assert.equal(asked[0].seed, "seed of text");
    await section.locator("select[data-task]").selectOption("pulp");
    await waitFor(() => asked.at(-1).seed === "seed of pulp", "another model, another seed");
    await section.getByLabel("How it begins").fill("But soft");
    await section.getByRole("button", { name: "Write" }).click();
    await section.locator(".note", { hasText: "never seen “B”" }).waitFor();
    assert.equal(asked.at(-1).unknown, "replace");
  },

  async "ten letters that may come next are shown before one is written"(browser, base) {
    const { page } = await openPage(browser, `${base}#text?seed=ROMEO%3A+&length=5`, VIEWS.light);
    const section = page.locator("#section-text");
    const text = section.locator(".answer .writing").first();
    await waitFor(async () => (await text.textContent()).length === 12, "five characters");
    const step = section.getByRole("button", { name: "One letter" });
    await step.click();
    const title = section.locator("[data-part=alternativesTitle]");
    const drawn = async () => (await title.textContent()).match(/“(.+)” is drawn/)?.[1];
    await waitFor(drawn, "one is drawn");
    const rows = section.locator("[data-part=alternatives] li");
    assert.equal(await rows.count(), 10);
    const shares = (await rows.locator(".value").allTextContents()).map((value) => Number.parseFloat(value.replace(/[<>] /, "")));
    assert.deepEqual(shares, [...shares].sort((one, other) => other - one), "the likeliest first");
    const letter = await drawn();
    await step.click();
    await waitFor(async () => (await text.textContent()).length === 13, "the next call writes it");
    assert.equal((await text.textContent()).at(-1), { space: " ", "new line": "\n" }[letter] ?? letter);
  },

  async "the slow pen writes as one reads"(browser, base) {
    const { page } = await openPage(browser, `${base}#text?seed=ROMEO%3A+&length=150&pen=1`, VIEWS.light);
    const text = page.locator("#section-text .answer .writing").first();
    const written = async () => (await text.textContent()).length - "ROMEO: ".length;
    await page.locator("#section-text [role=status]", { hasText: "The texts are written" }).waitFor({ state: "attached" });
    assert.ok(await written() < 150, "what has come is not all written yet");
    await page.locator("#section-text summary", { hasText: "More" }).click();
    await page.getByLabel("Pen").selectOption("at once");
    await waitFor(async () => (await written()) === 150, "at once");
  },

  async "β is a slider over the models that were trained with it"(browser, base) {
    const { page } = await openPage(browser, `${base}#vae`, VIEWS.light);
    const sweep = page.locator("#section-vae [data-part=sweep]");
    await sweep.waitFor();
    const [words, figures] = [sweep.locator("output"), sweep.locator("ul")];
    const pixels = () => sweep.locator("canvas").last().evaluate((canvas) => canvas.toDataURL());
    assert.equal(await words.textContent(), "β = 1");
    const before = [await figures.textContent(), await pixels()];
    await sweep.getByRole("slider").fill("5");
    assert.equal(await words.textContent(), "β = 8");
    assert.match(await figures.textContent(), /3\.99 nats.*19 of 20/);
    assert.notEqual(await figures.textContent(), before[0]);
    assert.notEqual(await pixels(), before[1], "other images");
  },

  async "the maps are coloured by the digit that is read at each place"(browser, base) {
    const { page } = await openPage(browser, `${base}#vae`, VIEWS.light);
    const section = page.locator("#section-vae");
    await section.locator(".map img[src^=blob]").nth(1).waitFor();
    const boxes = section.getByLabel("Colour each place");
    const none = async (index) => {
      await boxes.nth(index).check();
      const words = section.locator("[data-part=colours] li").filter({ hasText: "no digit" }).nth(index);
      await words.waitFor();
      return Number((await words.textContent()).match(/no digit: (\d+) of 400/)[1]);
    };
    for (const index of [0, 1]) assert.ok(await none(index) < 300, "digits are read in both maps");
    const colours = await section.locator("canvas.colours").first().evaluate((canvas) => new Set(
      Array.from(new Uint32Array(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.buffer))).size);
    assert.ok(colours >= 8, `most digits are there: ${colours} colours`);
    await boxes.first().uncheck();
    assert.equal(await section.locator("canvas.colours").count(), 1);
  },

  async "every question leads to its answer in two clicks"(browser, base) {
    const { page } = await openPage(browser, `${base}#course`, VIEWS.light);
    const course = page.locator("#section-course");
    await course.locator("[data-exercise]").first().waitFor();
    const known = await course.locator("[data-exercise]").evaluateAll((found) => found.map(({ dataset }) => dataset.exercise));
    const linked = await course.locator("nav a").allTextContents();
    assert.deepEqual(linked, known, "the list of exercises has each of them");
    assert.ok(known.length >= 30, `${known.length} exercises`);
    const questions = await page.locator("a[href^='#course?exercise=']").evaluateAll((links) => links.map((link) => link.getAttribute("href").split("=")[1]));
    for (const number of [...new Set(questions)]) assert.ok(known.includes(number), `${number} has an answer`);
    for (const number of known) { // a click on Course, a click on the number
      await course.locator("nav").getByRole("link", { name: number, exact: true }).click();
      const heading = course.locator(".wanted");
      await waitFor(async () => (await heading.getAttribute("data-exercise")) === number, `${number} is opened`);
    }
  },

  async "the GAN's training is replayed on a slider"(browser, base) {
    const { page } = await openPage(browser, `${base}#gan`, VIEWS.light);
    const replay = page.locator("#section-gan [data-part=replay]");
    await replay.waitFor();
    const pixels = () => replay.locator("canvas").evaluate((canvas) => canvas.toDataURL());
    const last = await pixels();
    assert.match(await replay.locator("output").textContent(), /after epoch (\d+) of \1/);
    await replay.getByRole("slider").fill("0");
    assert.match(await replay.locator("output").textContent(), /^after epoch 1 of/);
    assert.notEqual(await pixels(), last);
  },

  async "the perceptual and the pixel loss descend side by side"(browser, base) {
    const { page } = await openPage(browser, `${base}#gan`, VIEWS.light);
    const section = page.locator("#section-gan");
    await draw(page, FOUR, "#section-gan");
    await section.locator("select[name=loss]").selectOption("both");
    await section.locator("select[name=steps]").selectOption("50");
    await section.getByRole("button", { name: "Find it" }).click();
    await section.locator("[role=status]", { hasText: /Found by the perceptual loss: .* Found by the pixel loss/ }).waitFor({ state: "attached" });
    const captions = await section.locator("[data-part=found] figcaption").allTextContents();
    assert.equal(captions.filter((caption) => /PSNR [\d.]+ dB/.test(caption)).length, 2, captions.join("; "));
  },

  async "an uploaded image is shown at full strength"(browser, base) {
    const { page } = await openPage(browser, base, VIEWS.light);
    await sample(page);
    const buffer = Buffer.from(await page.evaluate(() => {
      const canvas = Object.assign(document.createElement("canvas"), { width: 40, height: 40 });
      Object.assign(canvas.getContext("2d"), { fillStyle: "#c00000" }).fillRect(0, 0, 40, 40);
      return canvas.toDataURL().split(",")[1];
    }), "base64");
    await page.locator("#section-digits [data-part=file]").setInputFiles({ name: "red.png", mimeType: "image/png", buffer });
    await waitFor(() => page.locator("#section-digits canvas[data-part=canvas]").evaluate((canvas) => {
      const [red, , , alpha] = canvas.getContext("2d").getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data;
      return red === 192 && alpha === 255;
    }), "the middle of the image is opaque");
  },

  async "after a wrong file the old answer is faint"(browser, base) {
    const { page } = await openPage(browser, `${base}#labels`, VIEWS.light);
    const bars = page.locator("#section-labels .answer > .bars");
    await bars.locator("li").first().waitFor();
    await page.locator("#section-labels [data-part=file]").setInputFiles({ name: "x.png", mimeType: "image/png", buffer: Buffer.from("no image") });
    await page.locator("#section-labels .note").waitFor();
    assert.ok(await bars.evaluate((element) => Number(getComputedStyle(element).opacity)) < 0.5);
  },

  async "a photograph in Digits is refused, a drawn shoe is said to be no digit"(browser, base) {
    const { page } = await openPage(browser, base, VIEWS.light);
    await sample(page);
    const section = page.locator("#section-digits");
    const choose = (name) => section.locator("[data-part=file]").setInputFiles(new URL(`../../clients/web/${name}`, import.meta.url).pathname);
    await choose("cat.jpg");
    await section.locator(".note", { hasText: "must show one digit on a plain background, got a photo" }).waitFor();
    await choose("sneaker.png");
    await section.locator(".note", { hasText: "This is probably no digit" }).waitFor();
  },

  async "while a model loads the page says so and goes on by itself"(browser, base) {
    const { page } = await openPage(browser, "about:blank", VIEWS.light);
    const names = ["digits", "text", "labels", "vae", "gan", "a", "b", "c", "d", "e", "f"];
    let isReady = false;
    let isListed = false;
    await answer(page, "/v1/models", async (route) => {
      await route.fulfill(listOf(names.map((id, index) =>
        (isReady || index > 8 ? model(id, id === "digits" ? "classify_digit" : "x") : model(id, null, false)))));
      isListed = true;
    });
    await page.route("**/page/heatmap.js", async (route) => { // the section's module arrives after the list
      await waitFor(() => isListed, "the list");
      await page.waitForTimeout(300);
      await route.continue();
    });
    await page.goto(base);
    await page.locator("#section-digits .state", { hasText: "digits is loading, 2 of 11 models are ready" }).waitFor();
    isReady = true;
    await sample(page);
    assert.equal(await page.locator("#section-digits .state").count(), 0);
  },

  async "a section that is opened while the service is down says so and opens later"(browser, base) {
    const { page } = await openPage(browser, base, VIEWS.light);
    await sample(page);
    let isDown = true;
    await page.route((url) => /v1|models\.js|card_figures/.test(url.pathname), (route) => (isDown ? route.abort() : route.continue()));
    await page.getByRole("link", { name: "Models" }).click();
    const state = page.locator("#section-models .state");
    await state.filter({ hasText: /did not arrive|does not answer/ }).waitFor();
    assert.ok((await state.textContent()).length > 40, "it says what to do");
    isDown = false;
    await page.locator("#section-models h2", { hasText: "digits/" }).waitFor();
  },

  async "each result has its own request, in three languages"(browser, base) {
    const { page } = await openPage(browser, `${base}#gan`, VIEWS.light);
    const section = page.locator("#section-gan");
    const code = (name) => section.locator(`[data-terminal=${name}] pre`).textContent();
    await section.getByAltText("as it is moved").waitFor();
    await section.getByRole("slider", { name: /thickness/ }).fill("1");
    await waitFor(async () => (await code("edit")).includes("v1/gan/edit"), "the edit's request");
    assert.match(await code("main"), /v1\/gan\/sample/);
    await waitFor(async () => (await code("way")).includes("v1/gan/interpolate"), "the way's request");
    assert.match(await code("discriminate"), /v1\/gan\/discriminate/);
    await section.locator("[data-terminal=main] summary").click();
    await section.locator("[data-terminal=main]").getByRole("button", { name: "Python" }).click();
    assert.match(await code("main"), /requests\.post\(\n\s+"http.*v1\/gan\/sample",\n\s+json=\{"n": 24/);
    assert.match(await code("edit"), /requests\.post/, "one choice for all");
    await section.locator("[data-terminal=main]").getByRole("button", { name: "JavaScript" }).click();
    assert.match(await code("main"), /await fetch\("http.*v1\/gan\/sample"/);
  },

  async "a wrong key is told from none"(browser, base) {
    const { page } = await openPage(browser, "about:blank", VIEWS.light);
    await page.route((url) => url.pathname.startsWith("/v1/"), (route) => (route.request().headers()["x-api-key"] === "sesame" ? route.continue()
      : route.fulfill({ status: 401, json: { error: "this service needs an API key", code: "unauthorized", request_id: "r" } })));
    await page.goto(base);
    await page.getByLabel("This service asks for an API key").fill("wrong");
    await page.getByRole("button", { name: "Use it" }).click();
    await page.getByLabel("The service did not accept this API key").fill("sesame");
    await page.getByRole("button", { name: "Use it" }).click();
    await sample(page);
  },

  async "a drawing survives another section and a reload"(browser, base) {
    const { page } = await openPage(browser, base, VIEWS.light);
    await draw(page, SEVEN);
    await page.locator("#section-digits [role=status]", { hasText: "reads 7" }).waitFor({ state: "attached" });
    assert.match(page.url(), /strokes=[0-9a-z]{8}/);
    await page.reload();
    await page.locator("#section-digits .digit", { hasText: "7" }).waitFor();
    assert.doesNotMatch(await page.locator("#section-digits [data-part=caption]").textContent(), /sample/);
    await page.getByRole("link", { name: "VAE" }).click();
    await waitFor(() => /vae\?.*strokes=[0-9a-z]{8}/.test(page.url()), "the VAE opens with the same drawing");
  },

  async "a section that writes its address does not undo a link that is followed at that moment"(browser, base) {
    const { page } = await openPage(browser, `${base}#gan`, VIEWS.light);
    await page.locator("#section-gan .examples button").first().waitFor();
    await page.evaluate(() => {
      location.hash = "#digits"; // its event comes in a later task, and what arrives before it may change a field
      document.querySelector("#section-gan [name]").dispatchEvent(new Event("change", { bubbles: true }));
    });
    await page.locator("#section-digits").waitFor();
    assert.match(page.url(), /#digits/);
  },

  async "a heat map of the drawing before is not laid over another one"(browser, base) {
    const { page } = await openPage(browser, base, VIEWS.light);
    await draw(page, SEVEN);
    const section = page.locator("#section-digits");
    await section.locator(".fine", { hasText: /^read by/ }).waitFor();
    let free = () => {};
    const asked = new Promise((resolve) => {
      answer(page, "/v1/digits/explain", async (route) => {
        resolve();
        await new Promise((done) => { free = done; });
        await route.continue().catch(() => {});
      });
    });
    await section.getByRole("button", { name: "Where did it look?" }).click();
    await asked;
    await section.getByRole("button", { name: "Use a drawn 4" }).click();
    free();
    await section.locator("[data-part=digit]", { hasText: "4" }).waitFor();
    assert.ok(await section.locator("[data-part=why]").isHidden());
    await page.unrouteAll({ behavior: "ignoreErrors" });
    await section.getByRole("button", { name: "Where did it look?" }).click();
    await section.getByText("Evidence for a 4").waitFor();
    await section.getByRole("button", { name: "Clear" }).click();
    assert.ok(await section.getByRole("button", { name: "Where did it look?" }).isDisabled());
  },

  async "a section that was left while it loaded is complete when it is opened again"(browser, base) {
    const { page } = await openPage(browser, base, VIEWS.light);
    await sample(page);
    const held = ["/manifold.png", "/gan/directions", "/gan/interpolate", "/gan/card"];
    for (const path of held) await answer(page, path, () => {}); // never
    for (const name of ["vae", "gan"]) {
      await page.evaluate((section) => { location.hash = `#${section}`; }, name);
      await page.locator(`#section-${name} ${name === "vae" ? "figure" : ".grid button"}`).first().waitFor();
    }
    await page.evaluate(() => { location.hash = "#digits"; });
    await page.locator("#section-digits").waitFor();
    await page.unrouteAll({ behavior: "ignoreErrors" });
    await page.evaluate(() => { location.hash = "#vae"; });
    await waitFor(() => page.locator("#section-vae .map img").evaluateAll((images) =>
      images.length === 2 && images.every(({ naturalWidth }) => naturalWidth > 0)), "both maps arrive");
    await page.evaluate(() => { location.hash = "#gan"; });
    const gan = page.locator("#section-gan");
    await gan.getByLabel("thickness").waitFor();
    await gan.getByText("9 of 9").waitFor();
    await gan.locator("[data-part=replay]").waitFor();
  },

  async "a link to other settings of the open section is followed"(browser, base) {
    const { page } = await openPage(browser, `${base}#gan`, VIEWS.light);
    await page.locator("#section-gan .grid button").first().waitFor();
    await page.evaluate(() => { location.hash = "#gan?random_seed=9&digit=3&second=5"; });
    await page.locator("#section-gan .grid").getByRole("button", { name: /^A 3, sample 24/ }).waitFor();
    await waitFor(() => /random_seed=9.*second=5/.test(page.url()), "the address keeps them");
  },

  async "the model of the address is the one that answers"(browser, base) {
    const { page } = await openPage(browser, `${base}#digits?model=digits-course`, VIEWS.light);
    const section = page.locator("#section-digits");
    await section.locator(".fine", { hasText: "read by digits-course" }).waitFor();
    assert.equal(await section.locator("select[name=model]").inputValue(), "digits-course");
  },

  async "going on forgets a letter that was drawn but not written"(browser, base) {
    const { page } = await openPage(browser, `${base}#text?seed=The+&length=20&diversity=0.5`, VIEWS.light);
    const section = page.locator("#section-text");
    const written = (count) => waitFor(async () => await section.locator(".column .tint").count() === count, `${count} characters`);
    await written(20);
    await section.getByRole("button", { name: "One letter" }).click();
    await section.getByText("press again to write it").waitFor();
    await section.getByRole("button", { name: "Go on" }).click();
    await written(40);
    const asked = page.waitForResponse((response) => response.url().endsWith("/v1/completions"));
    await section.getByRole("button", { name: "One letter" }).click();
    await asked;
    await written(40);
  },

  async "every input has examples, and Labels opens with one answered"(browser, base) {
    const { page } = await openPage(browser, `${base}#labels`, VIEWS.light);
    await page.locator("#section-labels .answer > .bars li").first().waitFor();
    for (const name of ["digits", "labels", "vae", "gan"]) {
      await page.goto(`${base}#${name}`);
      const examples = page.locator(`#section-${name} .examples button`);
      await examples.nth(2).waitFor();
      assert.ok(await examples.count() >= 3, name);
    }
    await page.goto(`${base}#labels`);
    for (const [name, label] of [["a dress", "Dress"], ["a sneaker", "Sneaker"], ["an ankle boot", "Ankle boot"]]) {
      await page.locator("#section-labels").getByRole("button", { name: `Use ${name}` }).click();
      await page.locator("#section-labels [data-part=heads] h3", { hasText: `A new last layer: ${label}` }).waitFor();
    }
    await page.goto(`${base}#digits`);
    await page.getByRole("button", { name: "Use a drawn 4" }).first().click();
    await page.locator("#section-digits .digit", { hasText: "4" }).waitFor();
  },

  async "a chosen file stays although the example arrives after it"(browser, base) {
    const { page } = await openPage(browser, "about:blank", VIEWS.light);
    let release;
    const isReleased = new Promise((resolve) => { release = resolve; });
    await page.route("**/page/cat.jpg", async (route) => { await isReleased; await route.continue(); });
    await page.goto(`${base}#labels`, { waitUntil: "commit" });
    const section = page.locator("#section-labels");
    await section.locator("[data-part=file]").setInputFiles({ name: "mine.jpg", mimeType: "image/jpeg", buffer: await readFile(new URL("../../clients/web/coffee.jpg", import.meta.url)) });
    const command = section.locator("[data-terminal=main] pre").first();
    await waitFor(async () => (await command.textContent()).includes("@mine.jpg"), "the file is labelled");
    const example = page.waitForResponse("**/page/cat.jpg");
    release();
    await (await example).finished();
    await waitFor(async () => (await section.locator(".answer .bars li").count()) === 5, "five labels");
    assert.match(await command.textContent(), /@mine\.jpg/);
  },

  async "a heat map follows the bar that is pointed at"(browser, base) {
    const { page } = await openPage(browser, `${base}#labels`, VIEWS.light);
    const section = page.locator("#section-labels");
    const bars = section.locator(".answer > .bars li");
    await bars.nth(1).waitFor();
    await section.getByRole("button", { name: "Where did it look?" }).click();
    const heat = section.locator("[data-part=heat]");
    await heat.waitFor();
    const [first, second] = await bars.locator(".name").allTextContents();
    await waitFor(async () => (await heat.getAttribute("alt")).endsWith(first), "the best label's map");
    const before = await heat.getAttribute("src");
    await bars.nth(1).hover();
    await waitFor(async () => (await heat.getAttribute("alt")).endsWith(second), "the second label's map");
    assert.notEqual(await heat.getAttribute("src"), before);
    assert.match(await section.locator("[data-terminal=explain] pre").textContent(), /v1\/images\/explain/);
  },

  async "without https the page says why there is no live camera"(browser, base) {
    const insecure = base.replace("127.0.0.1", "server.test");
    const { page } = await openPage(browser, "about:blank", VIEWS.light);
    await page.goto(insecure);
    await sample(page);
    assert.equal(await page.evaluate(() => isSecureContext), false);
    await page.getByText("The live camera works only where the address begins with https").first().waitFor();
    assert.ok(await page.getByRole("button", { name: "Live camera" }).first().isHidden());
    const section = page.locator("#section-digits");
    await draw(page, FOUR);
    await section.locator("[data-part=digit]", { hasText: "4" }).waitFor();
    await section.locator("input[capture]").setInputFiles(SEVEN_PNG); // what a phone does with the photo that was taken
    await section.locator("[data-part=digit]", { hasText: "7" }).waitFor();
    await section.locator("[data-part=caption]", { hasText: /^read by/ }).waitFor();
    await page.getByRole("button", { name: "Copy" }).first().click();
    await page.getByRole("button", { name: "Copied" }).waitFor();
  },

  async "two classes of one's own are trained in the browser and saved"(browser, base) {
    const { page } = await openPage(browser, "about:blank", VIEWS.light);
    await answer(page, "/v1/images/features", (route) => { // the file's first byte says what it shows
      const value = route.request().postDataBuffer()[0] / 100;
      return route.fulfill({ json: { model: { name: "labels", version: 1 }, features: [[value, 1 - value, 0.5]] } });
    });
    await page.goto(`${base}#labels`);
    const section = page.locator("#section-labels");
    await section.getByText("Train your own classes").click();
    const filesOf = (byte) => [0, 1, 2].map((index) => ({ name: `${byte}-${index}.png`, mimeType: "image/png", buffer: Buffer.from([byte + index]) }));
    const columns = section.locator("[data-part=teaching] .column");
    await columns.first().getByLabel("Name of the class").fill("cats");
    for (const [index, byte] of [10, 90].entries()) {
      await columns.nth(index).locator("input[multiple]").setInputFiles(filesOf(byte));
      await columns.nth(index).getByText("3 images").waitFor();
    }
    await section.getByRole("button", { name: "Train", exact: true }).click();
    await section.getByText("of 6 images are read right").waitFor();
    assert.match(await section.locator("[data-part=teaching] table").textContent(), /cats30class 203/);
    const saving = page.waitForEvent("download");
    await section.getByRole("button", { name: "Save head.json" }).click();
    const head = JSON.parse(await readFile(await (await saving).path(), "utf8"));
    assert.deepEqual(head.labels, ["cats", "class 2"]);
    assert.equal(Buffer.from(head.kernel, "base64").length, 3 * 2 * 4);
  },

  async "the comparison asks every digit classifier"(browser, base) {
    const { page } = await openPage(browser, base, VIEWS.light);
    await draw(page, SEVEN);
    const section = page.locator("#section-digits");
    await section.locator("[data-part=comparison] summary").click();
    const compared = section.locator("[data-part=compared] article");
    await waitFor(async () => (await compared.count()) >= 2, "two networks");
    for (const text of await compared.locator(".certainty").allTextContents()) assert.match(text, /^\d, .*%$/);
  },

  async "a part of the page that did not arrive is loaded once the service answers"(browser, base) {
    const { page } = await openPage(browser, "about:blank", VIEWS.light);
    let failures = 1;
    await page.route("**/page/model_comparison.js", (route) => (failures-- > 0 ? route.abort() : route.continue()));
    await page.goto(base);
    await draw(page, SEVEN);
    const section = page.locator("#section-digits");
    await section.locator("[data-part=comparison] summary").click();
    await waitFor(async () => (await section.locator("[data-part=compared] article").count()) >= 2, "the comparison");
    assert.ok(failures < 1, "it did fail");
  },

  async "a model of plain tensors has a form made from its signature, and its example runs"(browser, base) {
    const { page, complaints } = await openPage(browser, "about:blank", VIEWS.light);
    const signatures = { serving_default: { inputs: { numbers: "float32 [B,3]", plan: "string [B]" }, outputs: { risk: "float32 [B,1]" } } };
    const posted = [];
    await answer(page, "/v1/models", listOf([model("churn", "tensors"), model("digits", "classify_digit")]));
    await answer(page, "/v1/models/churn/card", { json: { model: { name: "churn", version: 1 }, task: "tensors", signatures } });
    await answer(page, "/v2/models/churn/infer", (route) => {
      posted.push(route.request().postDataJSON());
      return route.fulfill({ json: { model_name: "churn", outputs: [{ name: "risk", datatype: "FP32", shape: [1, 1], data: [0.25] }] } });
    });
    await page.goto(`${base}#models?model=churn`);
    const section = page.locator("#section-models");
    await section.getByRole("button", { name: "Run", exact: true }).click();
    await section.locator("[data-part=tensorOutputs] dd", { hasText: "0.25" }).waitFor();
    assert.deepEqual(posted[0].inputs, [
      { name: "numbers", datatype: "FP32", shape: [1, 3], data: [0, 0.1, 0.2] }, { name: "plan", datatype: "BYTES", shape: [1], data: ["a"] }]);
    assert.match(await section.locator("[data-part=tensorTerminal] pre").first().textContent(), /^curl -d .*v2\/models\/churn\/infer$/s);
    assert.match(await section.locator("[data-part=triton]").textContent(), /client\.infer\("churn", inputs\)/);

    await section.getByLabel("plan: string [B]").fill("basic");
    await section.getByRole("button", { name: "Run", exact: true }).click();
    await section.locator(".note", { hasText: "Plan must be JSON" }).waitFor();
    assert.equal(posted.length, 1, "what is no JSON is not sent");
    assert.deepEqual(complaints.filter((line) => !line.startsWith("went to")), []);
  },
};

const [base, wanted] = process.argv.slice(2);
if (base === "list") {
  console.log(JSON.stringify(Object.keys(CHECKS)));
} else {
  const browser = await chromium.launch({ ...BROWSER, args: [...BROWSER.args, "--host-resolver-rules=MAP server.test 127.0.0.1"] });
  const waiting = Object.entries(CHECKS).filter(([name]) => name.startsWith(wanted ?? ""));
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [name, check] = next;
      await explained(browser, name, () => check(browser, base.endsWith("/") ? base : `${base}/`));
      console.log(`held: ${name}`);
    }
  };
  try {
    await Promise.all([worker(), worker()]);
  } finally {
    await browser.close();
  }
}
