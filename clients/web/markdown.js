/** Markdown, as far as our own documents use it → elements; text never becomes markup. */

import { make, tableOf } from "./dom.js";

const INLINE = /`([^`]+)`|\*\*(.+?)\*\*|\*(.+?)\*|!\[(.*?)\]\((.*?)\)|\[(.+?)\]\((.*?)\)/g;
const EXERCISE = /^(?:Ex\. )?(5\.\d\.(?:\d+|EXTRA)\w?)\b/;

/** `imageOf(name)`: where an image of the document is. */
export function createProse(text, imageOf) {
  const blocks = [];
  const lines = text.split("\n");
  while (lines.length) {
    const line = lines.shift();
    if (!line.trim()) continue;
    if (line.startsWith("```")) blocks.push(make("pre", { tabIndex: 0 }, take(lines, (each) => !each.startsWith("```"), true).join("\n")));
    else if (line.startsWith("#")) blocks.push(heading(line, imageOf));
    else if (line.startsWith("|")) blocks.push(table([line, ...take(lines, (each) => each.startsWith("|"))], imageOf));
    else if (line.startsWith("- ")) blocks.push(bullets([line, ...take(lines, (each) => /^(- |  )/.test(each))], imageOf));
    else blocks.push(make("p", inline([line, ...take(lines, (each) => each.trim() && !/^(```|#|\||- )/.test(each))].join(" "), imageOf)));
  }
  return blocks;
}

/** The lines at the beginning for which `holds`; `andNext`: drops the one after them. */
function take(lines, holds, andNext = false) {
  const end = lines.findIndex((line) => !holds(line));
  const taken = lines.splice(0, end < 0 ? lines.length : end);
  if (andNext) lines.shift();
  return taken;
}

function heading(line, imageOf) {
  const [, marks, words] = line.match(/^(#+) (.*)$/);
  const made = make(`h${Math.min(4, marks.length + 1)}`, inline(words, imageOf));
  const exercise = words.match(EXERCISE)?.[1];
  if (exercise) made.dataset.exercise = exercise;
  return made;
}

function bullets(lines, imageOf) {
  const items = [];
  for (const line of lines) {
    if (line.startsWith("- ")) items.push(line.slice(2));
    else items[items.length - 1] += ` ${line.trim()}`;
  }
  return make("ul", items.map((item) => make("li", inline(item, imageOf))));
}

function table(lines, imageOf) {
  const [head, , ...rows] = lines.map((line) => line.replace(/^\||\|\s*$/g, "").split("|").map((cell) => cell.trim()));
  const inlined = (cells) => cells.map((cell) => inline(cell, imageOf));
  return tableOf(head.join(", "), inlined(head), rows.map(inlined));
}

function inline(text, imageOf) {
  const made = [];
  let end = 0;
  for (const match of text.matchAll(INLINE)) {
    const [whole, code, strong, emphasis, alt, src, words, target] = match;
    made.push(text.slice(end, match.index));
    end = match.index + whole.length;
    if (code) made.push(make("code", code));
    else if (strong) made.push(make("b", inline(strong, imageOf)));
    else if (emphasis) made.push(make("em", emphasis));
    else if (src) made.push(make("img", { src: imageOf(src), alt }));
    else made.push(link(words, target));
  }
  return [...made, text.slice(end)].filter((each) => each !== "");
}

/** A link of ours: to a section of the page; what leads to another document is its name alone. */
function link(words, target) {
  const section = target.match(/#\w+.*$/)?.[0];
  return target.startsWith("#") || target.includes("/#") ? make("a", { href: section }, words) : make("span", words);
}
