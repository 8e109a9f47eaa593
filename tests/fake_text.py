"""A text model one can follow by hand, and version directories that hold it.

Its state is a number made of every character so far, so that one wrong, missing or repeated character
changes all that follow.
"""

import threading
import time

import numpy as np

from service.codecs.random_streams import uniforms
from tests.fakes import write_files

VOCABULARY = list("\n !',-.:?abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
STEPS, WIDTH, STATE = 16, 4, 3
STATE_SPEC, IDS_SPEC = f"float32 [B,{STATE}]", "int32 [B,T]"
READ_INPUTS = {"token_ids": IDS_SPEC, "lengths": "int32 [B]"}
SIGNATURES = {
    "prefill": {"inputs": READ_INPUTS, "outputs": {"state": STATE_SPEC}},
    "read": {
        "inputs": {"state": STATE_SPEC, **READ_INPUTS},
        "outputs": {"logprobs": "float32 [B,T]", "state": STATE_SPEC},
    },
    "generate": {
        "inputs": {
            "state": STATE_SPEC,
            "uniforms": "float32 [B,T]",
            "lengths": "int32 [B]",
            "temperature": "float32 [B]",
            "top_k": "int32 [B]",
            "top_p": "float32 [B]",
        },
        "outputs": {
            "token_ids": IDS_SPEC,
            "logprobs": "float32 [B,T]",
            "top_ids": "int32 [B,T,5]",
            "top_logprobs": "float32 [B,T,5]",
            "state": STATE_SPEC,
        },
    },
}
BEGINNING = np.array([7, 0, 0], np.float32)


def log_probabilities(state):
    """What may follow: float32 [V]."""
    logits = (np.arange(len(VOCABULARY)) * 37 + int(state[0])) * 97 % 101 / 20
    return (logits - np.log(np.exp(logits).sum())).astype(np.float32)


def advance(state, token_id):
    """The state after one more character."""
    mixed = (int(state[0]) * 31 + int(token_id) * 7 + 1) % 65_521
    return np.array([mixed, state[1] + 1, token_id], np.float32)


def draw(logprobs, uniform, temperature, top_k, top_p):
    """The drawn token id, by the inverse of the cumulative distribution."""
    if temperature == 0:
        return int(logprobs.argmax())
    order = np.argsort(-logprobs, kind="stable")
    weights = np.exp(logprobs[order].astype(np.float64) / temperature)
    weights /= weights.sum()
    if top_k:
        weights[top_k:] = 0
    weights[np.cumsum(weights) - weights >= top_p] = 0
    cumulative = np.cumsum(weights)
    return int(order[np.searchsorted(cumulative, uniform * cumulative[-1], side="right")])


class FakeTextEngine:
    """Can be told to wait, to be slow and to fail; remembers the lengths of every run."""

    name = "tensorflow"
    is_thread_free = False

    def __init__(self):
        self.runs = []  # (signature, lengths of its rows)
        self.gate = threading.Event()
        self.gate.set()
        self.seconds_each_run = 0.0
        self.fails_on = lambda signature, inputs: False

    def run(self, signature, inputs):
        self.gate.wait(120)
        time.sleep(self.seconds_each_run)
        lengths = inputs["lengths"]
        self.runs.append((signature, lengths.tolist()))
        if self.fails_on(signature, inputs):
            raise RuntimeError("a text this engine cannot run")
        if signature == "generate":
            return self._generate(inputs)
        rows, steps = inputs["token_ids"].shape
        state = inputs.get("state", np.tile(BEGINNING, (rows, 1))).copy()
        logprobs = np.zeros((rows, steps), np.float32)
        for row in range(rows):
            for step, token_id in enumerate(inputs["token_ids"][row, : lengths[row]]):
                logprobs[row, step] = log_probabilities(state[row])[token_id]
                state[row] = advance(state[row], token_id)
        return (
            {"state": state} if signature == "prefill" else {"logprobs": logprobs, "state": state}
        )

    def _generate(self, inputs):
        rows, steps = inputs["uniforms"].shape
        outputs = {
            "token_ids": np.zeros((rows, steps), np.int32),
            "logprobs": np.zeros((rows, steps), np.float32),
            "top_ids": np.zeros((rows, steps, 5), np.int32),
            "top_logprobs": np.zeros((rows, steps, 5), np.float32),
            "state": inputs["state"].copy(),
        }
        how = [inputs[name] for name in ("temperature", "top_k", "top_p")]
        for row in range(rows):
            state = inputs["state"][row]
            for step in range(inputs["lengths"][row]):
                logprobs = log_probabilities(state)
                token_id = draw(logprobs, inputs["uniforms"][row, step], *(h[row] for h in how))
                top = np.argsort(-logprobs, kind="stable")[:5]
                outputs["token_ids"][row, step] = token_id
                outputs["logprobs"][row, step] = logprobs[token_id]
                outputs["top_ids"][row, step] = top
                outputs["top_logprobs"][row, step] = logprobs[top]
                state = advance(state, token_id)
            outputs["state"][row] = state
        return outputs


def write_text_version(root, name="text", version=1, **changes):
    """Write `root/name/version` with goldens that FakeTextEngine meets; return the directory."""
    rng = np.random.default_rng(1)
    ids = rng.integers(0, len(VOCABULARY), (2, STEPS)).astype(np.int32)
    lengths = np.array([5, STEPS], np.int32)
    state = np.tile(BEGINNING, (2, 1))
    read = {"token_ids": ids, "lengths": lengths}
    inputs = {
        "prefill": read,
        "read": {"state": state, **read},
        "generate": {
            "state": state,
            "uniforms": rng.random((2, STEPS), np.float32),
            "lengths": lengths,
            "temperature": np.zeros(2, np.float32),
            "top_k": np.zeros(2, np.int32),
            "top_p": np.ones(2, np.float32),
        },
    }
    golden = {}
    for signature, arrays in inputs.items():
        outputs = FakeTextEngine().run(signature, arrays)
        golden |= {f"{signature}/inputs/{key}": array for key, array in arrays.items()}
        golden |= {f"{signature}/outputs/{key}": array for key, array in outputs.items()}
    manifest = {
        "name": name,
        "version": version,
        "task": "generate_text",
        "framework": "fake 1.0",
        "vocabulary": VOCABULARY,
        "signatures": SIGNATURES,
        "batch_sizes": [WIDTH],
        "steps": STEPS,
        "max_batch_size": WIDTH,
        "tolerance": {"logprobs": 1e-4},
    }
    return write_files(root, manifest | changes, golden, {"summary": "mixes numbers", "layers": []})


def read_text(text):
    """The state after a text."""
    state = BEGINNING
    for character in text:
        state = advance(state, VOCABULARY.index(character))
    return state


def expected_text(seed, length, random_seed, number=0, diversity=0.5, **tops):
    """What a generation has to be: one character after the other, alone."""
    state, text = read_text(seed), ""
    top_k, top_p = tops.get("top_k", 0), tops.get("top_p", 1)
    for uniform in uniforms(random_seed, number, 0, length):
        token_id = draw(log_probabilities(state), uniform, diversity, top_k, top_p)
        state, text = advance(state, token_id), text + VOCABULARY[token_id]
    return text
