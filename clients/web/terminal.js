/** The request beside its result: curl, Python or JavaScript, copied by one click, and where the time went. */

import { LANGUAGES } from "./commands.js";
import { make, useTemplate } from "./dom.js";
import { milliseconds } from "./format.js";

let language = "curl"; // for every terminal of the page
const all = [];

/** Fills a host from the page's template; `isOpen`: unfolded at first. */
export function createTerminal(host, isOpen) {
  const part = useTemplate(host, "terminal");
  let request = null; // { url, content, withKey }
  const buttons = Object.keys(LANGUAGES).map((name) => make("button", { type: "button", onclick: () => choose(name) }, name));
  part.languages.append(...buttons);
  part.details.open = isOpen;

  function paint() {
    for (const button of buttons) button.ariaPressed = button.textContent === language;
    if (!request) return;
    const { url, content, ...others } = request;
    const isFile = content instanceof Blob;
    const posted = isFile ? { file: content.name ?? "digit.png" } : { json: content };
    part.code.textContent = LANGUAGES[language](url, { ...posted, ...others });
    part.save.hidden = !isFile || "name" in content;
    if (part.save.hidden) return;
    URL.revokeObjectURL(part.save.href);
    part.save.href = URL.createObjectURL(content);
  }

  part.copy.onclick = async () => {
    try {
      await navigator.clipboard.writeText(part.code.textContent);
    } catch { // no clipboard without https: select it, so that two keys copy it
      getSelection().selectAllChildren(part.code);
      document.execCommand("copy");
    }
    part.copy.textContent = "Copied";
    setTimeout(() => { part.copy.textContent = "Copy"; }, 1500);
  };
  all.push(paint);
  paint();

  return {
    /** Content as for `Vitrine.ask`. */
    showRequest(url, content, { withKey = false } = {}) {
      request = { url, content, withKey };
      host.hidden = false;
      paint();
    },
    showTiming({ timing, roundTripMs }) {
      const steps = timing.map((step, index) => ({ ...step, kind: `step-${index % 4}` }));
      part.timing.hidden = !steps.length;
      part.bar.replaceChildren(...steps.map((step) => make(`span.${step.kind}`, { style: `flex-grow: ${1000 * step.milliseconds}` })));
      part.legend.replaceChildren(
        ...steps.map((step) => make("li", make(`span.swatch.${step.kind}`), `${step.name} ${milliseconds(step.milliseconds)}`)),
        make("li", `there and back ${milliseconds(roundTripMs)}`));
    },
    hideTiming() { part.timing.hidden = true; },
  };
}

function choose(name) {
  language = name;
  for (const paint of all) paint();
}
