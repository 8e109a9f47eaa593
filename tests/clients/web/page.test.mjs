import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import test from "node:test";

const WEB = new URL("../../../clients/web/", import.meta.url);
const FILES = readdirSync(WEB);
const read = (name) => readFileSync(new URL(name, WEB), "utf8");
const html = read("index.html");

test("scripts and style together stay small", () => {
  const bytes = FILES.filter((name) => /\.(js|css)$/.test(name))
    .reduce((sum, name) => sum + Buffer.byteLength(read(name)), 0);

  assert.ok(bytes < 60_000, `${bytes} bytes`);
});

test("the page keeps the rules of its own content security policy", () => {
  assert.doesNotMatch(html, /\sstyle=|\son\w+=|<style|<script(?![^>]*\ssrc=)/);
});

test("every address is relative, so that the page works under a prefix", () => {
  const addresses = [...html.matchAll(/\s(?:href|src)="([^"]*)"/g)].map(([, address]) => address);

  for (const address of addresses) assert.doesNotMatch(address, /^(\/|https?:)/);
});

test("text from outside never becomes markup", () => {
  for (const name of FILES.filter((each) => each.endsWith(".js"))) {
    assert.doesNotMatch(read(name), /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b/, name);
  }
});

test("every element that the script looks up is in the page", () => {
  const wanted = [...read("page.js").matchAll(/\$\("([\w-]+)"\)/g)].map(([, id]) => id);

  for (const id of wanted) assert.ok(html.includes(`id="${id}"`), id);
});
