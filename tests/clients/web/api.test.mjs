import assert from "node:assert/strict";
import test from "node:test";

import {
  newestOnly, parseServerTiming, Refused, retryAfterSeconds, Superseded, Unauthorized,
  UnexpectedAnswer, Unreachable, Vitrine, VitrineError,
} from "../../../clients/web/api.js";

const ANSWER = {
  model: { name: "digits", version: 3 },
  predictions: [{ digit: 7, probability: 1, probabilities: [0, 0, 0, 0, 0, 0, 0, 1, 0, 0] }],
};
const PICTURE = new Blob(["image"]);
const PATH = "v1/digits/classify?return=input";

/** A service that gives its replies one after the other, and a clock that only sleeping moves. */
function setUp(...replies) {
  const requests = [];
  const sleeps = [];
  let time = 0;
  const vitrine = new Vitrine({
    now: () => time,
    sleep: async (milliseconds) => { sleeps.push(milliseconds); time += milliseconds; },
    fetch: async (url, request) => {
      requests.push({ url, ...request });
      return replies.shift()();
    },
  });
  return { vitrine, requests, sleeps };
}

const answer = (body = ANSWER, headers = {}) => () => Response.json(body, { headers });
const refusal = (status, code, headers = {}) => () =>
  Response.json({ error: "say it otherwise", code, request_id: "r1" }, { status, headers });

test("an image is the body itself, at a relative address", async () => {
  const { vitrine, requests } = setUp(answer());

  const { body } = await vitrine.ask(PATH, PICTURE, "predictions");

  assert.equal(body.predictions[0].digit, 7);
  assert.equal(requests[0].url, "v1/digits/classify?return=input");
  assert.equal(requests[0].method, "POST");
  assert.equal(requests[0].body, PICTURE);
  assert.ok(!("X-API-Key" in requests[0].headers));
});

test("a key that was typed travels in its header", async () => {
  const { vitrine, requests } = setUp(answer());
  vitrine.key = "secret";

  await vitrine.ask(PATH, PICTURE, "predictions");

  assert.equal(requests[0].headers["X-API-Key"], "secret");
});

test("the steps of Server-Timing come with the answer", async () => {
  const { vitrine } = setUp(answer(ANSWER, { "Server-Timing": "decode;dur=0.4, infer;dur=1.25" }));

  const { timing } = await vitrine.ask(PATH, PICTURE, "predictions");

  assert.deepEqual(timing, [
    { name: "decode", milliseconds: 0.4 }, { name: "infer", milliseconds: 1.25 },
  ]);
});

const EVENTS = [{ index: 0, text: "abc" }, { index: 0, finish_reason: "length", random_seed: 1, continuation: "t" }];

/** An answer whose body arrives in pieces. */
function stream(...events) {
  const text = events.map((event) => `data: ${typeof event === "string" ? event : JSON.stringify(event)}\n\n`).join("");
  return () => new Response(text, { headers: { "Content-Type": "text/event-stream", "Server-Timing": "queue;dur=1" } });
}

async function read(vitrine, options) {
  const { events } = await vitrine.stream("v1/text/generate", { seed: "To be", stream: true }, options);
  const all = [];
  for await (const event of events) all.push(event);
  return all;
}

test("a text is asked for as a stream, and comes event by event", async () => {
  const { vitrine, requests } = setUp(stream(...EVENTS, "[DONE]"));

  assert.deepEqual(await read(vitrine), EVENTS);
  assert.equal(requests[0].url, "v1/text/generate");
  assert.deepEqual(JSON.parse(requests[0].body), { seed: "To be", stream: true });
});

test("a stream's timing is there before its text", async () => {
  const { vitrine } = setUp(stream(...EVENTS, "[DONE]"));

  assert.deepEqual((await vitrine.stream("v1/text/generate", {})).timing, [{ name: "queue", milliseconds: 1 }]);
});

test("a busy service is asked for the stream again", async () => {
  const { vitrine, sleeps } = setUp(refusal(429, "overloaded", { "Retry-After": "3" }), stream(...EVENTS, "[DONE]"));

  assert.equal((await read(vitrine)).length, 2);
  assert.deepEqual(sleeps, [3000]);
});

test("an error in mid-stream is the service's sentence", async () => {
  const { vitrine } = setUp(stream(EVENTS[0], { error: "no time left", code: "deadline_exceeded" }));

  await assert.rejects(read(vitrine), (error) => error instanceof Refused && error.message === "no time left");
});

test("a stream that ends without its end broke off", async () => {
  const { vitrine } = setUp(stream(EVENTS[0]));

  await assert.rejects(read(vitrine), (error) => error instanceof Unreachable && /broke off/.test(error.message));
});

test("a stream that is stopped is superseded", async () => {
  const controller = new AbortController();
  const { vitrine } = setUp(() => new Response(new ReadableStream({
    start(body) {
      body.enqueue(new TextEncoder().encode(`data: ${JSON.stringify(EVENTS[0])}\n\n`));
      controller.signal.addEventListener("abort", () => body.error(controller.signal.reason));
    },
  })));
  const { events } = await vitrine.stream("v1/text/generate", {}, { signal: controller.signal });
  assert.equal((await events.next()).value.text, "abc");
  controller.abort();

  await assert.rejects(events.next(), Superseded);
});

test("without content the service is asked by GET, with some by POST", async () => {
  const { vitrine, requests } = setUp(answer({ data: [{}] }), answer({ characters: [{}] }), () => new Response("png"));

  await vitrine.ask("v1/models", null, "data");
  await vitrine.ask("v1/text/score", { text: "To be" }, "characters");
  const { body } = await vitrine.image("v1/vae/manifold.png");

  assert.deepEqual(requests.map(({ method }) => method), [undefined, "POST", undefined]);
  assert.equal(requests[1].body, '{"text":"To be"}');
  assert.equal(await body.text(), "png");
});

test("whoever waits for a key is told", async () => {
  const { vitrine } = setUp(refusal(401, "unauthorized"), refusal(401, "unauthorized"));
  const told = [];
  vitrine.onUnauthorized = (wasSent) => told.push(wasSent);

  await assert.rejects(vitrine.ask("v1/models", null, "data"), Unauthorized);
  vitrine.key = "wrong";
  await assert.rejects(vitrine.ask("v1/models", null, "data"), Unauthorized);
  assert.deepEqual(told, [false, true]);
});

test("a request that left without the key is sent again once the key is given", async () => {
  const { vitrine, requests } = setUp(async () => {
    vitrine.key = "sesame"; // typed while the answer is on its way
    return refusal(401, "unauthorized")();
  }, answer());
  const told = [];
  vitrine.onUnauthorized = (wasSent) => told.push(wasSent);

  const { body } = await vitrine.ask(PATH, PICTURE, "predictions");

  assert.equal(body.predictions[0].digit, 7);
  assert.deepEqual(requests.map(({ headers }) => headers["X-API-Key"]), [undefined, "sesame"]);
  assert.deepEqual(told, []);
});

test("a refusal carries the service's sentence, code and request id", async () => {
  const { vitrine, requests } = setUp(refusal(422, "invalid_image"));
  await assert.rejects(vitrine.ask(PATH, PICTURE, "predictions"), (error) => {
    assert.ok(error instanceof Refused && error instanceof VitrineError);
    assert.equal(error.message, "say it otherwise");
    assert.deepEqual([error.status, error.code, error.requestId], [422, "invalid_image", "r1"]);
    assert.equal(error.name, "Refused");
    return true;
  });
  assert.equal(requests.length, 1);
});

test("a missing key is an error of its own", async () => {
  const { vitrine } = setUp(refusal(401, "unauthorized"));

  await assert.rejects(vitrine.ask(PATH, PICTURE, "predictions"), Unauthorized);
});

test("a busy service is asked again after the time it named", async () => {
  const waits = [];
  const { vitrine, requests, sleeps } = setUp(
    refusal(429, "overloaded", { "Retry-After": "3" }),
    refusal(503, "not_ready", { "Retry-After": "2" }),
    answer(),
  );

  await vitrine.ask(PATH, PICTURE, "predictions", { onWait: (seconds, { status }) => waits.push([seconds, status]) });

  assert.equal(requests.length, 3);
  assert.deepEqual(sleeps, [3000, 2000]);
  assert.deepEqual(waits, [[3, 429], [2, 503]]);
});

test("while one request waits, a newer one does not jump the queue", async () => {
  const { vitrine, sleeps } = setUp(refusal(429, "overloaded", { "Retry-After": "4" }), answer());
  const { sleep } = vitrine;
  vitrine.sleep = async () => { throw new Superseded("a newer request took its place"); };
  await assert.rejects(vitrine.ask(PATH, PICTURE, "predictions"), Superseded);
  vitrine.sleep = sleep;

  await vitrine.ask(PATH, PICTURE, "predictions");

  assert.deepEqual(sleeps, [4000]);
});

test("patience does not end", async () => {
  const { vitrine, requests } = setUp(...Array(20).fill(refusal(503, "not_ready")), answer());

  assert.deepEqual((await vitrine.ask(PATH, PICTURE, "predictions")).body, ANSWER);
  assert.equal(requests.length, 21);
});

test("a balancer's 503 without a sentence counts as busy", async () => {
  const { vitrine } = setUp(() => new Response("<h1>Unavailable</h1>", { status: 503 }), answer());

  assert.deepEqual((await vitrine.ask(PATH, PICTURE, "predictions")).body, ANSWER);
});

for (const [name, reply] of Object.entries({
  "a website": () => new Response("<h1>Welcome</h1>"),
  "a gateway's error": () => new Response("<h1>Bad gateway</h1>", { status: 502 }),
  "other JSON": answer({ predictions: [] }),
  "another error shape": () => Response.json({ detail: "Not Found" }, { status: 404 }),
  "no JSON object": answer(null),
})) {
  test(`${name} is an unexpected answer`, async () => {
    const { vitrine } = setUp(reply);

    await assert.rejects(vitrine.ask(PATH, PICTURE, "predictions"), UnexpectedAnswer);
  });
}

test("no connection is said in words, and the request is sent again after longer and longer waits", async () => {
  const { vitrine, sleeps } = setUp(...Array(7).fill(() => { throw new TypeError("Failed to fetch"); }), answer());
  const reasons = [];

  const { body } = await vitrine.ask(PATH, PICTURE, "predictions", { onWait: (_, error) => reasons.push(error) });

  assert.deepEqual(body, ANSWER);
  assert.ok(reasons.every((error) => error instanceof Unreachable && error.message.includes("Is it running")));
  assert.deepEqual(sleeps, [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
});

test("a request that is aborted under way is superseded, not unreachable", async () => {
  const controller = new AbortController();
  const { vitrine } = setUp(() => { controller.abort(); throw controller.signal.reason; });

  await assert.rejects(vitrine.ask(PATH, PICTURE, "predictions", { signal: controller.signal }), Superseded);
});

for (const [name, when] of [["before it waits", (abort) => abort()], ["while it waits", setTimeout]]) {
  test(`a call that is superseded ${name} ends at once`, { timeout: 2000 }, async () => {
    const controller = new AbortController();
    const busy = refusal(429, "overloaded", { "Retry-After": "20" });
    const vitrine = new Vitrine({ fetch: async () => busy() }); // the real clock
    const onWait = () => when(() => controller.abort());

    await assert.rejects(vitrine.ask(PATH, PICTURE, "predictions", { signal: controller.signal, onWait }), Superseded);
  });
}

test("the newest job wins, whichever ends first", async () => {
  const run = newestOnly();
  let finishOld;
  const old = run((signal) => new Promise((resolve) => { finishOld = () => resolve(signal.aborted); }));
  const recent = run(async () => "new");
  finishOld();

  await assert.rejects(old, Superseded);
  assert.equal(await recent, "new");
});

test("an older job's error is nobody's business", async () => {
  const run = newestOnly();
  const old = run((signal) => new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(new Error("aborted")));
  }));
  run(async () => {});

  await assert.rejects(old, Superseded);
});

test("the newest job's own error comes through", async () => {
  await assert.rejects(newestOnly()(async () => { throw new Unreachable("gone"); }), Unreachable);
});

test("Server-Timing is read as far as it makes sense", () => {
  assert.deepEqual(parseServerTiming(""), []);
  assert.deepEqual(parseServerTiming('cache, queue;desc="q";dur="2.5", bad;dur=x, back;dur=-1'), [
    { name: "queue", milliseconds: 2.5 },
  ]);
});

test("Retry-After is seconds or a date, within what a person waits", () => {
  const now = Date.parse("Mon, 23 Nov 2026 12:00:00 GMT");

  assert.equal(retryAfterSeconds("7"), 7);
  assert.equal(retryAfterSeconds("Mon, 23 Nov 2026 12:00:09 GMT", now), 9);
  assert.equal(retryAfterSeconds("86400"), 30);
  assert.equal(retryAfterSeconds("0"), 1);
  assert.equal(retryAfterSeconds("soon"), 1);
  assert.equal(retryAfterSeconds(null), 1);
});
