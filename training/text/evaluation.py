"""Evaluates a character model: its loss compared with two simpler models, and statistics of its text.

There is no third split of the text: the metrics use the split that also chose the epoch and the temperature.
That is the convention for this data set, and the card states it.
"""

import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from training import evaluation
from training.text import model as text_model
from training.text import ngram, text_statistics
from training.text.corpus import SEED_CHARACTERS, TextSplits
from training.text.losses import character_losses, logits_after
from training.text.model import Network
from training.text.streams import validation_streams

CHUNK = 4096  # characters of the stream per call
WINDOW = 256  # context of the transformer best known for this data set
ORDER = 7  # the best order for a million characters of English
DIVERSITIES = (0.2, 0.5, 1.0)
SAMPLES, SAMPLE_CHARACTERS = 100, 400


def evaluate(model: keras.Model, splits: TextSplits) -> dict[str, Any]:
    """Return the card's `metrics`, and the vocabulary as `calibration`, for the export."""
    net = text_model.network(model, splits.vocabulary)
    temperature = fit_temperature(net, splits)
    net = text_model.calibrated(net, {"temperature": temperature})
    losses, correct = stream(net, splits.validation)
    nats, count = float(losses.mean()), len(splits.validation)
    commonest = int(np.bincount(splits.train).argmax())
    counted = ngram.nats_per_character(splits.train, splits.validation, net.symbols, ORDER)
    metrics = {
        "validation_nats_per_character": nats,
        "validation_bits_per_character": nats / math.log(2),
        "validation_perplexity": math.exp(nats),
        f"validation_nats_windowed_{WINDOW}": windowed(net, splits.validation),
        f"kneser_ney_{ORDER}_gram_nats_per_character": counted,
        f"skill_over_{ORDER}_gram": 1 - nats / counted,
        "validation_accuracy": evaluation.proportion(int(correct.sum()), count),
        "commonest_character": repr(splits.vocabulary[commonest]),
        "accuracy_of_always_the_commonest": evaluation.proportion(
            int((splits.validation == commonest).sum()), count
        ),
    }
    return {
        "metrics": metrics | writing(net, splits),
        "calibration": {"vocabulary": list(splits.vocabulary), "temperature": temperature},
    }


def fit_temperature(net: Network, splits: TextSplits) -> float:
    """The scalar that, dividing the logits, gives the validation text the smallest loss."""
    text, lead = validation_streams(splits)
    state = tf.zeros([2 * len(net.layers), len(text), net.units])
    logits, _ = logits_after(net, tf.constant(text[:, :-1]), state)
    own = logits[:, lead - 1 :].numpy().reshape(-1, net.symbols)
    return evaluation.fit_temperature(own, text[:, lead:].ravel())


def stream(net: Network, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Loss in nats of each id of int32 [N] read as one stream, and whether it was the likeliest; both [N].

    The state is carried from the first to the last; it begins as that of a fresh text.
    """
    read = tf.function(lambda chunk, state: character_losses(net, chunk, state))
    state = tf.zeros([2 * len(net.layers), 1, net.units])
    whole = np.concatenate([[net.start], ids]).astype(np.int32)
    losses, correct = [], []
    for begin in range(0, len(ids), CHUNK):
        chunk = tf.constant(whole[None, begin : begin + CHUNK + 1])
        nats, hits, state = read(chunk, state)
        losses.append(nats.numpy()[0])
        correct.append(hits.numpy()[0])
    return np.concatenate(losses), np.concatenate(correct)


def windowed(net: Network, ids: np.ndarray) -> float:
    """Nats per character in consecutive windows, each from a state of zeros and its first character."""
    width = min(WINDOW, len(ids) - 1)
    places = np.arange(0, len(ids) - width, width)[:, None] + np.arange(width + 1)
    state = tf.zeros([2 * len(net.layers), len(places), net.units])
    return float(tf.reduce_mean(character_losses(net, tf.constant(ids[places]), state)[0]))


def writing(net: Network, splits: TextSplits) -> dict[str, Any]:
    """Statistics of continuations of validation text at each diversity, with fixed random numbers."""
    known = set(text_statistics.words(splits.text(splits.train)))
    measured: dict[str, Any] = {
        "validation_words_in_training_text": evaluation.proportion(
            *text_statistics.known_words([splits.text(splits.validation)], known)
        )
    }
    write = text_model.writer(net)
    for diversity in DIVERSITIES:
        ids = write(*_seeds(splits), np.full(SAMPLES, diversity, np.float32)).numpy()
        copies = text_statistics.longest_copies(ids, splits.train)
        texts = [splits.text(sample) for sample in ids]
        measured |= {
            f"written_at_{diversity}_words_in_training_text": evaluation.proportion(
                *text_statistics.known_words(texts, known)
            ),
            f"written_at_{diversity}_longest_copy_95_percent": float(np.quantile(copies, 0.95)),
            f"written_at_{diversity}_longest_copy": int(copies.max()),
            f"written_at_{diversity}_repeated_20_grams": text_statistics.repetition(ids),
        }
    return measured


def _seeds(splits: TextSplits) -> tuple[np.ndarray, np.ndarray]:
    """Prompts int32 [SAMPLES, 40] from the whole validation text, and their random numbers."""
    width = min(SEED_CHARACTERS, len(splits.validation))
    starts = np.linspace(0, len(splits.validation) - width, SAMPLES).astype(int)
    uniforms = np.random.default_rng(0).random((SAMPLES, SAMPLE_CHARACTERS), np.float32)
    return splits.validation[starts[:, None] + np.arange(width)], uniforms
