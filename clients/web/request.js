/** The request panel, the same in every room: the command that does what the page does, and its timing. */

import { partsOf } from "./dom.js";
import { showTiming } from "./timing.js";

/** Fills an empty section from the page's template. */
export function createRequest(host) {
  host.append(document.getElementById("request").content.cloneNode(true));
  const parts = partsOf(host);
  parts.copy.addEventListener("click", () => copy(parts));
  return {
    parts,
    showCommand(command) {
      parts.curl.textContent = command;
    },
    /** @param {import("./api.js").Answer | null} call */
    showTiming(call) {
      parts.timing.hidden = !call?.timing.length;
      if (call) showTiming(parts, call);
    },
  };
}

async function copy({ curl, copy: button }) {
  try {
    await navigator.clipboard.writeText(curl.textContent);
  } catch { // no clipboard without https: select it, so that two keys copy it
    getSelection().selectAllChildren(curl);
    document.execCommand("copy");
  }
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = "Copy"; }, 1500);
}
