import assert from "node:assert/strict";
import test from "node:test";

import { inOrder, loadingSentence, namesOf } from "../../../clients/web/model_list.js";

const model = (id, task = null, ready = true) => ({ id, task, ready });

test("released models come first, others by name", () => {
  assert.deepEqual(inOrder(["zebra", "vae", "alpha", "digits", "text"].map((id) => model(id))).map(({ id }) => id),
    ["digits", "text", "vae", "alpha", "zebra"]);
  assert.deepEqual(namesOf([model("pulp", "t"), model("text", "t"), model("digits", "d")], "t"), ["text", "pulp"]);
});

test("what loads is named, with how many are ready", () => {
  const models = [model("digits", null, false), model("gan", null, false), model("text", "t")];

  assert.equal(loadingSentence(models, "digits"), "digits is loading, 1 of 3 models are ready");
  assert.equal(loadingSentence(models, "text"), "The models are loading, 1 of 3 models are ready");
  assert.equal(loadingSentence([model("text", "t")], "text"), "");
});
