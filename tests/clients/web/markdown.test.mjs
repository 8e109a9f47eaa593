import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

const COURSE = readFileSync(new URL("../../../docs/course.md", import.meta.url), "utf8");
const HTML = readFileSync(new URL("../../../clients/web/index.html", import.meta.url), "utf8");

test("every exercise of the course has its heading, and every question of the page leads to one", () => {
  const headings = [...COURSE.matchAll(/^### (5\.\d\.(?:\d|EXTRA))\b/gm)].map(([, number]) => number);
  const sections = { 1: 5, 2: 6, 3: 4, 4: 7, 5: 7 };
  for (const [section, count] of Object.entries(sections)) {
    for (let number = 1; number <= count; number += 1) assert.ok(headings.includes(`5.${section}.${number}`), `5.${section}.${number}`);
  }
  for (const [, number] of HTML.matchAll(/#course\?exercise=([\w.]+)/g)) assert.ok(headings.includes(number), number);
});
