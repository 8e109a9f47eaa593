"""The latent vector of an image by gradient descent on the image's error, as a loop in the graph.

Adam's state is an input and an output, so a projection can be split into several calls. The perceptual loss
compares the feature maps of the course's digit network, each layer's divided by its mean square on real digits,
and with a weight of 0.1 the pixels; the pixel loss compares only the pixels. Both keep w near its mean.
"""

from typing import Any, NamedTuple

import tensorflow as tf

from training.gan.images import softened

RATE, DECAY = 0.1, (0.9, 0.99)  # of Adam, in units of w's standard deviation
PIXEL_SHARE, HOLD = 1.0, 0.002
LOSSES = ("perceptual", "pixel")


class Projector(NamedTuple):
    """The parts of a GAN that a projection needs."""

    synthesis: Any
    loss_maps: Any
    map_power: tuple[float, ...]  # mean square of each layer's maps on real digits
    w_mean: Any  # float32 [W]
    w_std: float

    def losses(self, w: Any, target: Any, target_maps: Any, pixel: Any) -> tuple[Any, Any]:
        """Loss [B] of w [B, W] against images [B, 28, 28, 1] in -1..1, and the generated images.

        pixel: bool [B], whether a row is measured by its pixels alone.
        """
        drawn = self.synthesis(w, training=False)
        made = softened(drawn)
        by_pixel = tf.reduce_mean((made - target) ** 2, axis=[1, 2, 3])
        pairs = zip(self.loss_maps(made, training=False), target_maps, self.map_power, strict=True)
        by_maps = tf.add_n([tf.reduce_mean((a - b) ** 2, axis=[1, 2, 3]) / p for a, b, p in pairs])
        chosen = tf.where(pixel, by_pixel, by_maps + PIXEL_SHARE * by_pixel)
        far = tf.reduce_mean(((w - self.w_mean) / self.w_std) ** 2, axis=1)
        return chosen + HOLD * far, drawn

    def project(
        self, target: Any, state: tuple[Any, Any, Any], clock: tuple[Any, Any, Any], pixel: Any
    ) -> tuple[Any, Any, Any]:
        """Move state (w, m, v) [B, W] on by `steps` of clock (step, steps, total_steps), int32 [B] each.

        A row that has done its steps stays while others go on.
        """
        step, steps, total = clock
        target_maps = self.loss_maps(target, training=False)

        def turn(done: Any, w: Any, m: Any, v: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(w)
                loss, _ = self.losses(w, target, target_maps, pixel)
            slope = tape.gradient(loss, w) * self.w_std
            moved = self._adam((w, m, v), slope, step + done, total)
            going = (done < steps)[:, None]
            kept = [tf.where(going, new, old) for new, old in zip(moved, (w, m, v), strict=True)]
            return done + 1, *kept

        longest = tf.reduce_max(steps)
        _, *state = tf.while_loop(
            lambda done, *_: done < longest, turn, (tf.constant(0), *state), parallel_iterations=1
        )
        return tuple(state)

    def _adam(self, state: tuple[Any, Any, Any], slope: Any, step: Any, total: Any) -> Any:
        """One step of Adam; its rate rises over the first twentieth and falls with a cosine at the end."""
        w, m, v = state
        share = tf.cast(step, tf.float32) / tf.cast(tf.maximum(total, 1), tf.float32)
        share = tf.clip_by_value(share, 0.0, 1.0)
        fall = tf.minimum(1.0, (1.02 - share) / 0.5)
        rate = RATE * (0.5 - 0.5 * tf.cos(fall * 3.14159265)) * tf.minimum(1.0, share / 0.05 + 0.2)
        m = DECAY[0] * m + (1 - DECAY[0]) * slope
        v = DECAY[1] * v + (1 - DECAY[1]) * slope**2
        times = tf.cast(step + 1, tf.float32)[:, None]
        mean, square = m / (1 - DECAY[0] ** times), v / (1 - DECAY[1] ** times)
        return w - rate[:, None] * self.w_std * mean / (tf.sqrt(square) + 1e-8), m, v
