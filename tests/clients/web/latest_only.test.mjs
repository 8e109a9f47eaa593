import assert from "node:assert/strict";
import test from "node:test";

import { newestOnly, pause, Superseded } from "../../../clients/web/api.js";
import { createLatestOnly } from "../../../clients/web/latest_only.js";

/** Time that passes only when told to. */
function createClock() {
  let time = 0;
  let timers = [];
  return {
    now: () => time,
    later: (call, milliseconds) => {
      const timer = { call, at: time + milliseconds };
      timers.push(timer);
      return timer;
    },
    forget: (timer) => { timers = timers.filter((each) => each !== timer); },
    async pass(milliseconds) {
      const end = time + milliseconds;
      for (let due; (due = timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]);) {
        timers = timers.filter((each) => each !== due);
        time = due.at;
        due.call();
        await Promise.resolve();
      }
      time = end;
      for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
    },
  };
}

/** A pacer whose answers take `milliseconds`; `aborted` ones never come. */
function setUp({ milliseconds = 0, aborted = false } = {}) {
  const clock = createClock();
  const sent = [];
  const send = (value) => {
    sent.push([clock.now(), value]);
    return new Promise((resolve) => clock.later(() => resolve(!aborted), milliseconds));
  };
  return { clock, sent, pacer: createLatestOnly(send, { shortestMs: 60, longestMs: 2000, ...clock }) };
}

test("the first value leaves at once", () => {
  const { sent, pacer } = setUp();
  pacer.push("a");

  assert.deepEqual(sent, [[0, "a"]]);
});

test("of many values only the newest leaves, after the interval", async () => {
  const { clock, sent, pacer } = setUp();
  for (const value of ["a", "b", "c", "d"]) pacer.push(value);
  await clock.pass(1000);

  assert.deepEqual(sent, [[0, "a"], [60, "d"]]);
});

test("a slow network slows the rhythm, so that answers come at all", async () => {
  const { clock, sent, pacer } = setUp({ milliseconds: 500 });
  pacer.push("a");
  await clock.pass(500);
  pacer.push("b");
  await clock.pass(1000);

  assert.deepEqual(sent, [[0, "a"], [600, "b"]]);
});

test("each aborted request doubles the interval, up to a limit", async () => {
  const { clock, sent, pacer } = setUp({ aborted: true });
  for (let step = 0; step < 800; step += 1) {
    pacer.push(step);
    await clock.pass(10);
  }
  const times = sent.map(([time]) => time);
  const gaps = times.slice(1).map((time, index) => time - times[index]);

  assert.deepEqual(gaps, [120, 240, 480, 960, 1920, 2000, 2000]);
});

test("cancelled values do not leave", async () => {
  const { clock, sent, pacer } = setUp();
  pacer.push("a");
  pacer.push("b");
  pacer.cancel();
  await clock.pass(1000);

  assert.deepEqual(sent, [[0, "a"]]);
});

test("of many jobs that pause first, the newest goes on, once it has been quiet", async () => {
  const run = newestOnly();
  const done = [];
  const job = (name) => run(async (signal) => { await pause(30, signal); done.push(name); });
  const ends = await Promise.allSettled([job("a"), job("b"), job("c")]);

  assert.deepEqual(done, ["c"]);
  assert.deepEqual(ends.map(({ reason }) => reason?.constructor), [Superseded, Superseded, undefined]);
});

test("a job that is cancelled while it pauses stays silent", async () => {
  const run = newestOnly();
  const job = run(async (signal) => { await pause(30, signal); assert.fail("it went on"); });
  run(() => {});

  await assert.rejects(job, Superseded);
});
