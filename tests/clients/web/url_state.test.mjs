import assert from "node:assert/strict";
import test from "node:test";

import { formatAddress, parseAddress } from "../../../clients/web/url_state.js";

test("an address names a section and its state", () => {
  const { section, state } = parseAddress("#text?seed=To+be%0Aor&diversity=0.2,1&random_seed=42");

  assert.equal(section, "text");
  assert.deepEqual(Object.fromEntries(state), { seed: "To be\nor", diversity: "0.2,1", random_seed: "42" });
});

test("without a state there is a section, without an address there is none", () => {
  assert.equal(parseAddress("#models").section, "models");
  assert.equal(parseAddress("").section, "");
});

test("what is written into an address is read out of it", () => {
  const state = { seed: "what? & why #1 = é\n\ud83d\ude00", length: 400 };

  assert.deepEqual(Object.fromEntries(parseAddress(formatAddress("text", state)).state), { ...state, length: "400" });
});

test("what is empty is left out", () => {
  assert.equal(formatAddress("text", { top_k: "", n: 0 }), "#text?n=0");
  assert.equal(formatAddress("digits"), "#digits");
});
