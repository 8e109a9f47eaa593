// Runs a program in a real browser, on the service's own page, and prints what it logs.

import { createRequire } from "node:module";

const { chromium } = createRequire(new URL("../browser/", import.meta.url))("playwright-core");
const { CHROMIUM = "/usr/bin/chromium", VITRINE_URL } = process.env;
const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
try {
  const page = await browser.newPage();
  page.on("console", (message) => message.type() === "log" && console.log(message.text()));
  await page.goto(VITRINE_URL);
  await page.evaluate(`(async () => {\n${process.argv[2]}\n})()`);
} finally {
  await browser.close();
}
