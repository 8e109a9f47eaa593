"""Distillation: a small network learns the outputs of a larger one for each augmented image.

After Hinton et al. (2015), "Distilling the Knowledge in a Neural Network", in its simplest form: the
target of an image is a mixture of its label and the larger network's probabilities.
"""

from typing import Any

import tensorflow as tf


def soft_targets(batches: tf.data.Dataset, teacher: Any, share: float) -> tf.data.Dataset:
    """Replace the labels of each batch by probabilities, float32 [B, C].

    batches: images float32 [B, H, W, C] in 0..255 and labels int64 [B]. teacher: maps such images to
    logits. share: the teacher's share of a target; the rest is the label.
    """

    def soften(images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        answer = tf.nn.softmax(teacher(images, training=False))
        return images, share * answer + (1 - share) * tf.one_hot(labels, answer.shape[1])

    return batches.map(soften, num_parallel_calls=1).prefetch(2)
