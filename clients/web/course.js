/** The course section: the project's `docs/course.md`, exercise by exercise. */

import { make } from "./dom.js";
import { createProse } from "./markdown.js";

const SOURCE = "page/course.md";

export default function courseSection({ part, show, action, site }) {
  const read = action(async (_, exercise) => {
    if (!part.text.hasChildNodes()) {
      const { body } = await site.vitrine.text(SOURCE);
      show({ text: createProse(body, (name) => `page/${name}`) });
      show({ exercises: chaptersOf(part.text) });
    }
    const wanted = [...part.text.querySelectorAll("[data-exercise]")].find(({ dataset }) => dataset.exercise === exercise);
    part.text.querySelector(".wanted")?.classList.remove("wanted");
    if (!wanted) return;
    wanted.classList.add("wanted");
    wanted.tabIndex = -1;
    wanted.scrollIntoView({ block: "start" });
    wanted.focus({ preventScroll: true });
  });

  return (state) => read(state.get("exercise"));
}

/** A line for each chapter: its heading, and links to its exercises. */
function chaptersOf(text) {
  const lines = [];
  for (const { textContent, dataset: { exercise: number } } of text.querySelectorAll("h3, [data-exercise]")) {
    if (number) (lines.at(-1) ?? lines[lines.push(make("p")) - 1]).append(make("a", { href: `#course?exercise=${number}`, title: textContent }, number));
    else lines.push(make("p", make("b", textContent)));
  }
  return lines.filter((line) => line.querySelector("a"));
}
