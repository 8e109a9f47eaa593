import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import test from "node:test";
import { gzipSync } from "node:zlib";

const WEB = new URL("../../../clients/web/", import.meta.url);
const FILES = readdirSync(WEB);
const MOST_SENT = 36_000; // bytes of script and style when a section is opened first, compressed by the service
const MOST_SOURCE = 92_000; // the same as it is written
const read = (name) => readFileSync(new URL(name, WEB), "utf8");
const html = read("index.html");

const IMPORT = /^import .*?from "\.\/(.*?)";$/gms;
const LATER = /import\("\.\/([\w]+\.js)"\)/g; // what is loaded only when it is used

/** A script and everything that comes with it. */
function closure(name, found = new Set()) {
  if (found.has(name)) return found;
  found.add(name);
  for (const [, other] of read(name).matchAll(IMPORT)) closure(other, found);
  return found;
}

const PRELOADED = [...html.matchAll(/modulepreload" href="page\/(.*?)"/g)].map(([, name]) => name);
const SECTIONS = [...read("page.js").matchAll(/import\("\.\/(\w+\.js)"\)/g)].map(([, name]) => name);

for (const section of SECTIONS) {
  test(`scripts and style of ${section} stay small`, () => {
    const names = closure(section, closure("page.js"));
    for (const name of PRELOADED) closure(name, names);
    const files = ["style.css", ...names].map(read);
    const [sent, source] = [gzipSync, Buffer.from].map((form) => files.reduce((sum, text) => sum + form(text).length, 0));

    assert.ok(names.size > 8);
    assert.ok(sent <= MOST_SENT && source <= MOST_SOURCE, `${sent} and ${source} bytes`);
  });
}

test("no script is left over", () => {
  const names = SECTIONS.reduce((found, section) => closure(section, found), closure("page.js"));
  for (const name of names) for (const [, later] of read(name).matchAll(LATER)) closure(later, names);

  assert.deepEqual([...names].sort(), FILES.filter((name) => name.endsWith(".js")).sort());
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

/** The parts that a script fills: of each `show({ … })` the keys. */
function shownBy(script) {
  return script.split(/\bshow\(\{/).slice(1).flatMap((rest) => {
    let depth = 1;
    let keys = "";
    for (const character of rest) {
      if ("([{".includes(character)) depth += 1;
      if (")]}".includes(character)) depth -= 1;
      if (depth === 0) break;
      if (depth === 1) keys += character;
    }
    return keys.replaceAll(/`[^`]*`|"[^"]*"/g, "").split(",").map((entry) => entry.trim().split(":")[0]).filter((key) => /^[a-z]\w*$/i.test(key));
  });
}

test("the parts that a script fills are found in it", () => {
  assert.deepEqual(shownBy('show({ live: f(a, { b: 1 }), note });\nshow({\n  way: [one, two],\n});'), ["live", "note", "way"]);
});

test("every element that a script looks up is in the page", () => {
  for (const name of FILES.filter((each) => each.endsWith(".js"))) {
    for (const [, id] of read(name).matchAll(/getElementById\("([\w-]+)"\)/g)) assert.ok(html.includes(`id="${id}"`), id);
  }
  for (const name of [...SECTIONS, "section.js", "drawing_canvas.js", "samples.js", "terminal.js", "heatmap.js"]) {
    const taken = [...read(name).matchAll(/\{ (.*?) \} = part;/g)].flatMap(([, names]) => names.split(", "));
    const looked = [...read(name).matchAll(/\bparts?\.(\w+)/g)].map(([, part]) => part);
    for (const part of [...taken, ...looked, ...shownBy(read(name))]) assert.ok(html.includes(`data-part="${part}"`), `${name}: ${part}`);
  }
});

test("every template that is asked for is in the page, and every section knows its parts", () => {
  const asked = [...html.matchAll(/data-use="(\w+)"/g), ...FILES.filter((name) => name.endsWith(".js")).flatMap((name) =>
    [...read(name).matchAll(/useTemplate\(\w+, "(\w+)"\)/g)])];
  assert.ok(asked.length > 7);
  for (const [, id] of asked) assert.ok(html.includes(`<template id="${id}"`), id);
  for (const [, section] of html.matchAll(/<section id="section-(.*?)\n    <\/section>/gs)) {
    const names = [...section.matchAll(/data-part="(\w+)"/g)].map(([, name]) => name);
    assert.equal(new Set(names).size, names.length, names.join());
    const terminals = [...section.matchAll(/data-terminal="(\w+)"/g)].map(([, name]) => name);
    assert.equal(new Set(terminals).size, terminals.length, terminals.join());
  }
});

test("every section has its section and its link", () => {
  for (const name of SECTIONS.map((each) => each.replace(".js", ""))) {
    assert.ok(html.includes(`<section id="section-${name}"`) && html.includes(`href="#${name}"`), name);
  }
});
