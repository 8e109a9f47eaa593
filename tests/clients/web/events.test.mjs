import assert from "node:assert/strict";
import test from "node:test";

import { readEvents } from "../../../clients/web/events.js";

const STREAM = "data: {}\r\n\r\n: a remark\nevent: x\ndata:one\ndata: two\n\ndata: é\u2028…\n\ndata: cut";

function streamOf(size, cancelled = () => {}) {
  const bytes = new TextEncoder().encode(STREAM);
  const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.slice(index * size, (index + 1) * size));
  return new ReadableStream({
    pull(controller) {
      if (chunks.length) controller.enqueue(chunks.shift());
      else controller.close();
    },
    cancel: cancelled,
  }, { highWaterMark: 0 });
}

for (const size of [1, 2, 7, 1000]) {
  test(`events are the same when ${size} bytes arrive at a time`, async () => {
    const events = [];
    for await (const event of readEvents(streamOf(size))) events.push(event);

    assert.deepEqual(events, ["{}", "one\ntwo", "é\u2028…"]);
  });
}

test("leaving the loop hangs up", async () => {
  let isCancelled = false;
  for await (const event of readEvents(streamOf(4, () => { isCancelled = true; }))) {
    assert.equal(event, "{}");
    break;
  }
  await new Promise((resolve) => { setTimeout(resolve, 10); });

  assert.ok(isCancelled);
});
