"""Reading, choosing and writing: what each promise of the artefact is worth, bit by bit."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from training.text import model as text_model
from training.text import sampling
from training.text import signatures as text_signatures
from training.text.corpus import TextSplits
from training.text.evaluation import fit_temperature
from training.text.losses import character_losses
from training.text.model import CharacterConfig
from training.text.sampling import Controls

pytestmark = pytest.mark.tensorflow
VOCABULARY = "\n abcdefghij"
ROWS, STEPS = text_signatures.GOLDEN_ROWS, 24


def make(vocabulary=VOCABULARY, layers=2, units=40, seed=1):
    """An untrained network with weights large enough for it to have opinions."""
    keras.utils.set_random_seed(seed)
    config = CharacterConfig(vocabulary=vocabulary, layers=layers, units=units)
    model = text_model.build_model(config)
    model.set_weights([weight * 3 for weight in model.get_weights()])
    return model


@pytest.fixture(scope="module")
def model():
    return make()


@pytest.fixture(scope="module")
def net(model):
    return text_model.network(model, VOCABULARY)


@pytest.fixture(scope="module")
def run(model):
    signatures = text_signatures.signatures(model, {"vocabulary": list(VOCABULARY)})

    def call(name, **given):
        outputs = signatures[name].function(
            *(tf.constant(given[k]) for k in signatures[name].inputs)
        )
        return {key: value.numpy() for key, value in outputs.items()}

    return call


def random_row(rng, width=STEPS):
    """One row of a `generate` call, with controls of every kind."""
    return {
        "state": rng.normal(size=4 * 40).astype(np.float32) / 2,
        "uniforms": rng.random(width, np.float32),
        "lengths": np.int32(rng.integers(0, width + 1)),
        "temperature": np.float32(rng.choice([0, 0.2, 0.5, 1, 2])),
        "top_k": np.int32(rng.choice([0, 0, 1, 3])),
        "top_p": np.float32(rng.choice([1, 1, 0.5, 0.9])),
    }


def stacked(rows):
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


def row_of(outputs, lane):
    return {name: array[lane] for name, array in outputs.items()}


def same_bits(left, right):
    return all(left[name].tobytes() == right[name].tobytes() for name in left)


def test_reading_gives_what_keras_gives(model, net, run):
    ids = np.random.default_rng(1).integers(0, len(VOCABULARY), (ROWS, STEPS)).astype(np.int32)
    started = np.concatenate([np.full((ROWS, 1), net.start), ids], axis=1)
    expected = tf.nn.log_softmax(model(started)).numpy()[:, :-1]

    found = run("score", token_ids=ids)["logprobs"]

    picked = np.take_along_axis(expected, ids[..., None], axis=2)[..., 0]
    np.testing.assert_allclose(found, picked, atol=1e-5)


def test_losses_are_the_scores(net, run):
    ids = np.random.default_rng(1).integers(0, len(VOCABULARY), (ROWS, STEPS)).astype(np.int32)
    started = np.concatenate([np.full((ROWS, 1), net.start, np.int32), ids], axis=1)

    nats, hits, _ = character_losses(net, tf.constant(started), tf.zeros([4, ROWS, 40]))

    np.testing.assert_allclose(nats, -run("score", token_ids=ids)["logprobs"], atol=1e-5)
    assert hits.dtype == tf.bool


def test_an_exported_network_divides_its_logits_by_the_temperature(model, net, run):
    ids = np.random.default_rng(1).integers(0, len(VOCABULARY), (ROWS, STEPS)).astype(np.int32)
    started = np.concatenate([np.full((ROWS, 1), net.start, np.int32), ids[:, :-1]], axis=1)
    expected = tf.nn.log_softmax(model(started) / 1.25).numpy()
    calibration = {"vocabulary": list(VOCABULARY), "temperature": 1.25}

    score = text_signatures.signatures(model, calibration)["score"]
    found = score.function(token_ids=tf.constant(ids))["logprobs"]

    picked = np.take_along_axis(expected, ids[..., None], axis=2)[..., 0]
    np.testing.assert_allclose(found, picked, atol=1e-5)


def test_a_text_that_the_network_wrote_needs_no_temperature_and_logits_twice_as_large_need_two(net):
    layers = tuple(type(layer)(*(w / 3 for w in layer)) for layer in net.layers)  # which forget
    net = net._replace(layers=layers, head=net.head * 4)
    uniforms = np.random.default_rng(4).random((1, 1500), np.float32)
    seed, diversity = tf.constant([[net.start]]), tf.constant([1.0])
    written = text_model.writer(net)(seed, tf.constant(uniforms), diversity).numpy()[0]
    splits = TextSplits(written[:500], written[500:], VOCABULARY, "its own text")
    doubled = text_model.calibrated(net, {"temperature": 0.5})

    assert fit_temperature(net, splits) == pytest.approx(1, abs=0.1)
    assert fit_temperature(doubled, splits) == pytest.approx(2, abs=0.2)


def test_a_long_text_can_be_read_in_parts(run):
    ids = np.random.default_rng(2).integers(0, len(VOCABULARY), (ROWS, STEPS)).astype(np.int32)
    whole = run("prefill", token_ids=ids, lengths=np.full(ROWS, STEPS, np.int32))
    begun = run("prefill", token_ids=ids, lengths=np.zeros(ROWS, np.int32))["state"]

    first = run("read", state=begun, token_ids=ids, lengths=np.full(ROWS, 10, np.int32))
    rest = np.concatenate([ids[:, 10:], np.zeros((ROWS, 10), np.int32)], axis=1)
    second = run("read", state=first["state"], token_ids=rest, lengths=np.full(ROWS, 14, np.int32))

    np.testing.assert_array_equal(second["state"], whole["state"])
    scores = np.concatenate([first["logprobs"][:, :10], second["logprobs"][:, :14]], axis=1)
    np.testing.assert_allclose(scores, run("score", token_ids=ids)["logprobs"], atol=1e-6)
    assert not first["logprobs"][:, 10:].any()


def test_each_row_is_read_as_far_as_it_is_long(run):
    ids = np.random.default_rng(3).integers(0, len(VOCABULARY), (ROWS, STEPS)).astype(np.int32)
    uneven = run("prefill", token_ids=ids, lengths=np.array([0, 1, 7, STEPS], np.int32))["state"]

    for lane, length in enumerate((0, 1, 7, STEPS)):
        even = run("prefill", token_ids=ids, lengths=np.full(ROWS, length, np.int32))["state"]
        np.testing.assert_array_equal(uneven[lane], even[lane])


def test_a_row_has_the_same_bits_in_any_company_and_lane(run):
    rng = np.random.default_rng(4)
    for _ in range(60):
        mine = random_row(rng)
        idle = {name: np.zeros_like(value) for name, value in mine.items()}
        alone = row_of(run("generate", **stacked([mine, idle, idle, idle])), 0)
        lane = int(rng.integers(ROWS))
        company = [mine if row == lane else random_row(rng) for row in range(ROWS)]

        assert same_bits(alone, row_of(run("generate", **stacked(company)), lane))


def test_reading_has_the_same_bits_in_any_company_and_lane(run):
    rng = np.random.default_rng(5)

    def reader():
        ids = rng.integers(0, len(VOCABULARY), STEPS).astype(np.int32)
        return {**random_row(rng), "token_ids": ids}

    for _ in range(30):
        mine, lane = reader(), int(rng.integers(ROWS))
        rows = [[mine, *(reader() for _ in range(ROWS - 1))], [reader() for _ in range(ROWS)]]
        rows[1][lane] = mine
        names = ("state", "token_ids", "lengths")
        first, second = (
            run("read", **{name: array for name, array in stacked(some).items() if name in names})
            for some in rows
        )

        assert same_bits(row_of(first, 0), row_of(second, lane))


def test_a_text_written_in_parts_has_the_same_bits(run):
    rng = np.random.default_rng(6)
    for _ in range(20):
        mine = {**random_row(rng), "lengths": np.int32(STEPS)}
        whole = row_of(run("generate", **stacked([mine] * ROWS)), 0)
        cut, begin, parts = int(rng.integers(1, STEPS)), 0, []
        state = mine["state"]
        for length in (cut, STEPS - cut):
            uniforms = np.zeros(STEPS, np.float32)
            uniforms[:length] = mine["uniforms"][begin : begin + length]
            part = {**mine, "state": state, "uniforms": uniforms, "lengths": np.int32(length)}
            written = row_of(run("generate", **stacked([random_row(rng), part] * 2)), 1)
            state, begin = written.pop("state"), begin + length
            parts.append({name: array[:length] for name, array in written.items()})

        assert state.tobytes() == whole.pop("state").tobytes()
        joined = {name: np.concatenate([part[name] for part in parts]) for name in whole}
        assert same_bits(joined, whole)


def test_beyond_a_rows_length_there_is_nothing(run):
    rng = np.random.default_rng(7)
    rows = [{**random_row(rng), "lengths": np.int32(length)} for length in (0, 1, 5, STEPS)]

    written = run("generate", **stacked(rows))

    np.testing.assert_array_equal(written["state"][0], rows[0]["state"])
    for lane, length in enumerate((0, 1, 5, STEPS)):
        for name in ("token_ids", "logprobs", "top_ids", "top_logprobs"):
            assert not written[name][lane, length:].any()
        assert (written["logprobs"][lane, :length] < 0).all()


def test_what_is_told_of_a_character_is_before_any_control(run):
    rng = np.random.default_rng(8)
    row = {**random_row(rng), "lengths": np.int32(STEPS), "temperature": np.float32(1)}
    row |= {"top_k": np.int32(3), "top_p": np.float32(0.5)}
    written = row_of(run("generate", **stacked([row] * ROWS)), 0)
    read = run(
        "read",
        state=np.stack([row["state"]] * ROWS),
        token_ids=np.stack([written["token_ids"]] * ROWS),
        lengths=np.full(ROWS, STEPS, np.int32),
    )

    np.testing.assert_allclose(written["logprobs"], read["logprobs"][0], atol=1e-5)
    assert (np.diff(written["top_logprobs"], axis=1) <= 0).all()
    assert (written["token_ids"][:, None] == written["top_ids"][:, :3]).any(axis=1).all()


def test_temperature_0_is_always_the_likeliest(run):
    row = {**random_row(np.random.default_rng(9)), "lengths": np.int32(STEPS)}
    row |= {"temperature": np.float32(0), "top_k": np.int32(0), "top_p": np.float32(1)}

    written = run("generate", **stacked([row] * ROWS))

    np.testing.assert_array_equal(written["token_ids"], written["top_ids"][..., 0])


LOGITS = np.log(np.array([0.1, 0.4, 0.2, 0.05, 0.25], np.float32))


def chosen(logits, uniforms, temperature=1.0, top_k=0, top_p=1.0):
    rows = len(uniforms)
    controls = Controls(
        np.full(rows, temperature, np.float32),
        np.full(rows, top_k, np.int32),
        np.full(rows, top_p, np.float32),
    )
    many = tf.constant(np.tile(np.asarray(logits, np.float32), (rows, 1)))
    return sampling.choose(many, np.asarray(uniforms, np.float32), controls).numpy()


def shares(**controls):
    """Share of each character over evenly spread random numbers."""
    picked = chosen(LOGITS, (np.arange(10_000) + 0.5) / 10_000, **controls)
    return np.bincount(picked, minlength=5) / 10_000


@pytest.mark.parametrize(
    ("controls", "expected"),
    [
        ({}, [0.1, 0.4, 0.2, 0.05, 0.25]),
        ({"temperature": 0.5}, np.array([1, 16, 4, 0.25, 6.25]) / 27.5),
        ({"top_k": 2}, [0, 0.4 / 0.65, 0, 0, 0.25 / 0.65]),
        ({"top_k": 1}, [0, 1, 0, 0, 0]),
        ({"top_k": 50}, [0.1, 0.4, 0.2, 0.05, 0.25]),
        ({"top_p": 0.6}, [0, 0.4 / 0.65, 0, 0, 0.25 / 0.65]),
        ({"top_p": 1e-6}, [0, 1, 0, 0, 0]),
        ({"top_p": 0.0}, [0, 1, 0, 0, 0]),
        ({"top_k": 3, "top_p": 0.7}, [0, 0.4 / 0.65, 0, 0, 0.25 / 0.65]),
        ({"temperature": 0.5, "top_p": 0.5}, [0, 1, 0, 0, 0]),
        ({"temperature": 1e-30}, [0, 1, 0, 0, 0]),
        ({"temperature": 1e30}, [0.2] * 5),
    ],
)
def test_characters_come_as_often_as_the_controls_say(controls, expected):
    np.testing.assert_allclose(shares(**controls), expected, atol=2e-4)


def test_a_tie_goes_to_the_lower_id():
    tied = [1.0, 3.0, 3.0, 0.0]

    assert chosen(tied, [0.99], temperature=0) == 1
    assert chosen(tied, [0.99], top_k=1) == 1


def test_the_ends_of_the_range_of_random_numbers():
    below_one = np.nextafter(np.float32(1), np.float32(0))

    assert chosen(LOGITS, [0.0, below_one]).tolist() == [0, 4]
    assert chosen([-1e9, 0.0, -1e9], [0.0, below_one]).tolist() == [1, 1]


@pytest.mark.parametrize("vocabulary", ["ab", "\nabc", " x"])
def test_a_vocabulary_of_fewer_than_five_characters(vocabulary):
    model = make(vocabulary, layers=1, units=4)
    net = text_model.network(model, vocabulary)
    state = text_model.initial_state(net, 2)
    controls = Controls(tf.ones([2]), tf.zeros([2], tf.int32), tf.ones([2]))

    written = text_model.generate(net, state, tf.fill([2, 3], 0.5), tf.fill([2], 3), controls)

    assert written["top_ids"].shape == (2, 3, 5)
    assert (written["top_logprobs"].numpy()[..., len(vocabulary) :] < -1e38).all()


@pytest.mark.parametrize(
    ("vocabulary", "start"), [("\n ab", 0), (" ab", 0), ("!\nab", 1), ("xy", 0)]
)
def test_a_fresh_text_begins_after_a_newline_or_a_space(vocabulary, start):
    assert text_model.start_id(vocabulary) == start
