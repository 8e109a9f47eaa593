import assert from "node:assert/strict";
import test from "node:test";

import { exampleText, parseTensor, readTensor, tritonCode } from "../../../clients/web/tensor_form.js";

test("a signature's text is a type and sizes, of which some are free", () => {
  assert.deepEqual(parseTensor("float32 [B,5]"), { dtype: "float32", shape: [null, 5] });
  assert.deepEqual(parseTensor("string []"), { dtype: "string", shape: [] });
  assert.deepEqual(parseTensor("int64 [B,T,2]"), { dtype: "int64", shape: [null, null, 2] });
});

test("the example is one row, and a single value where the row is long", () => {
  assert.equal(exampleText(parseTensor("float32 [B,3]")), "[[0,0.1,0.2]]");
  assert.equal(exampleText(parseTensor("string [B]")), '["a"]');
  assert.equal(exampleText(parseTensor("int32 []")), "1");
  assert.equal(JSON.parse(exampleText(parseTensor("bool [B,N]")))[0].length, 8);
  assert.equal(exampleText(parseTensor("float32 [B,224,224,3]")), "0.5");
});

test("a field's text becomes a tensor of the protocol, whatever its rows", () => {
  assert.deepEqual(readTensor("x", parseTensor("float32 [B,2]"), "[[1,2],[3,4]]"),
    { name: "x", datatype: "FP32", shape: [2, 2], data: [1, 2, 3, 4] });
  assert.deepEqual(readTensor("word", parseTensor("string [B]"), '["a b"]'),
    { name: "word", datatype: "BYTES", shape: [1], data: ["a b"] });
  assert.deepEqual(readTensor("s", parseTensor("int64 []"), "3"), { name: "s", datatype: "INT64", shape: [], data: [3] });
  assert.deepEqual(readTensor("x", parseTensor("uint8 [B,2,2]"), "7"),
    { name: "x", datatype: "UINT8", shape: [1, 2, 2], data: [7, 7, 7, 7] });
});

test("what is no JSON is refused with an example", () => {
  assert.throws(() => readTensor("plan", parseTensor("string [B]"), "basic"), /plan must be JSON such as \["a"\]; texts stand in/);
});

test("tritonclient's lines hold every input, and a long one as one value", () => {
  const body = { inputs: [
    readTensor("x", parseTensor("float32 [B,2]"), "[[1,2]]"), readTensor("ok", parseTensor("bool [B]"), "[true]"),
    readTensor("image", parseTensor("float32 [B,32,32,3]"), "0.5"), readTensor("word", parseTensor("string [B]"), '["a"]'),
  ], parameters: { signature_name: "other" } };
  const code = tritonCode("https://example.org/below/", "churn", body, true);

  for (const line of [
    'InferenceServerClient("example.org/below", ssl=True)', '("x", "FP32", np.array([1, 2], np.float32).reshape([1, 2])),',
    '("ok", "BOOL", np.array([True], np.bool_).reshape([1])),', '("image", "FP32", np.full([1, 32, 32, 3], 0.5, np.float32)),',
    '("word", "BYTES", np.array(["a"], object).reshape([1])),',
    'client.infer("churn", inputs, parameters={"signature_name":"other"}, headers={"X-API-Key": os.environ["VITRINE_API_KEY"]})',
  ]) assert.ok(code.includes(line), line);
});
