/** Says on the page what computes the answers, and which golden outputs came out. */

import { make } from "../dom.js";
import { figure } from "../format.js";

/** The function that is called with each check: { name, worst }. */
export function showChecks(host) {
  const found = new Map(); // model → the largest difference
  const line = make("p.fine", { role: "status" });
  host.append(line);
  const paint = () => {
    const models = [...found].map(([name, worst]) => `${name} (off by at most ${worst ? figure(worst) : "0"})`);
    line.textContent = `Computed in this browser, without a server. ${models.length ? `Golden outputs match for ${models.join(", ")}.` : "Golden outputs are checked when a model is first used."}`;
  };
  paint();
  return ({ name, worst }) => {
    found.set(name, Math.max(worst, found.get(name) ?? 0));
    paint();
  };
}
