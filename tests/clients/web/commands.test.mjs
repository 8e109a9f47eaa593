import assert from "node:assert/strict";
import test from "node:test";

import { curlCommand, javascriptCode, pythonCode } from "../../../clients/web/commands.js";

test("the command can be pasted into a shell", () => {
  assert.equal(curlCommand("http://h/v1/digits/classify?return=input", { file: "digit.png" }),
    "curl --data-binary @digit.png \\\n  'http://h/v1/digits/classify?return=input'");
});

test("a request in JSON stays one line, whatever the text holds", () => {
  const command = curlCommand("http://h/", { json: { seed: "it's\n {  a }", n: [1, 2], stream: true } });

  assert.equal(command, String.raw`curl -N -d '{ "seed": "it'\''s\n {  a }", "n": [ 1, 2 ], "stream": true }' \
  http://h/`);
});

test("without anything to post the command gets", () => {
  assert.equal(curlCommand("http://h/v1/models"), "curl http://h/v1/models");
});

test("a file's name cannot break out of the command", () => {
  const command = curlCommand("http://h/", { file: "it's $(me); x.png" });

  assert.ok(command.includes(String.raw`'@it'\''s $(me); x.png'`));
});

test("the command names the key's variable, never the key", () => {
  assert.ok(curlCommand("http://h/", { withKey: true }).includes('-H "X-API-Key: $VITRINE_API_KEY"'));
});

test("the Python code posts the same", () => {
  assert.equal(pythonCode("http://h/x", { json: { n: 1, digit: null, is: true, list: ["a'b", 0.5] } }),
    'import requests\n\nanswer = requests.post(\n    "http://h/x",\n    json={"n": 1, "digit": None, "is": True, "list": ["a\'b", 0.5]},\n)\nprint(answer.json())');
  assert.match(pythonCode("http://h/", { file: 'a"b.png' }), /data=open\("a\\"b\.png", "rb"\)/);
  assert.match(pythonCode("http://h/", { json: { stream: true } }), /stream=True,\n\)\nfor line in/);
  assert.match(pythonCode("http://h/", { withKey: true }), /^import os\n[^]*requests\.get\([^]*os\.environ\["VITRINE_API_KEY"\]/);
});

test("the JavaScript code posts the same", () => {
  assert.equal(javascriptCode("http://h/x", { json: { n: 1 } }),
    'const answer = await fetch("http://h/x", {\n  method: "POST",\n  body: JSON.stringify({ "n": 1 }),\n});\nconsole.log(await answer.json());');
  assert.match(javascriptCode("http://h/", { file: "x.png" }), /input\[type=file\][^]*body: file/);
  assert.match(javascriptCode("http://h/"), /fetch\("http:\/\/h\/"\);/);
});
