"""The translator of images of a plain script, on TensorFlow."""

import tensorflow as tf
from keras import Model, ops


class CycleGAN(Model):
    """Two generators that translate between images x and y, and two critics."""

    def __init__(
        self,
        generator: Model,
        inverse: Model,
        critic_x: Model,
        critic_y: Model,
        penalty: float,
        cycle: float,
        identity: float,
    ) -> None:
        super().__init__()
        self.generator = generator
        self.inverse = inverse
        self.critic_x = critic_x
        self.critic_y = critic_y
        self.penalty = penalty
        self.cycle = cycle
        self.identity = identity

    def compile(self, generator_optimizer, critic_optimizer, **options):
        super().compile(**options)
        self.generator_optimizer = generator_optimizer
        self.critic_optimizer = critic_optimizer

    def train_step(self, data):
        x, y = data
        G, F = self.generator, self.inverse

        # The generators learn to fool the critics, and to keep what images show.
        with tf.GradientTape() as tape:
            x_made, y_made = F(y), G(x)
            fooled = ops.mean(ops.square(self.critic_x(x_made) - 1))
            fooled += ops.mean(ops.square(self.critic_y(y_made) - 1))
            cycle = distance(F(y_made), x) + distance(G(x_made), y)
            identity = distance(F(x), x) + distance(G(y), y)
            total = fooled + self.cycle * cycle + self.identity * identity

        weights = [*G.trainable_variables, *F.trainable_variables]
        gradients = tape.gradient(total, weights)
        self.generator_optimizer.apply(gradients, weights)

        # The critics learn to tell translations from images.
        with tf.GradientTape() as tape:
            critic_loss = self.critic_loss(self.critic_x, x, x_made)
            critic_loss += self.critic_loss(self.critic_y, y, y_made)

        weights = self.critic_x.trainable_variables + self.critic_y.trainable_variables
        gradients = tape.gradient(critic_loss, weights)
        self.critic_optimizer.apply(gradients, weights)

        return {"critic_loss": critic_loss, "fooled": fooled, "cycle": cycle}

    def critic_loss(self, critic, real, made):
        """Squared errors of the scores, and the squared slope at real images (R1)."""
        with tf.GradientTape() as tape:
            tape.watch(real)
            scores = critic(real)

        slopes = tape.gradient(scores, real)
        steepness = ops.sum(ops.square(slopes), axis=(1, 2, 3))
        of_real = ops.mean(ops.square(scores - 1))
        of_made = ops.mean(ops.square(critic(made)))
        return of_real + of_made + self.penalty * ops.mean(steepness)


def distance(a, b):
    return ops.mean(ops.abs(a - b))
