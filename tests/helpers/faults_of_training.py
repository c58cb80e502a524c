"""Reported faults of Keras's optimizers, schedules and recurrent layers."""

import keras
import numpy as np
from keras import ops

from known_faults import fault, is_finite, reloaded, train
from oracle import array

KERAS = "keras-team/keras/issues/"
ADDONS = "tensorflow/addons/issues/"


@fault("all optimizers", KERAS + "19990", 0.89)
def decay_of_weights_counts_updates(lib):
    """While gradients are accumulated, every micro-batch decays the weights."""
    optimizer = lib.optimizers.SGD(0.1, weight_decay=0.1, gradient_accumulation_steps=3)
    return train(optimizer, [1.0, 1.0, 1.0])


@fault("Adam", KERAS + "19990", 0.9)
def steps_of_adam_count_updates(lib):
    """While gradients are accumulated, Adam's corrections count micro-batches."""
    return train(
        lib.optimizers.Adam(0.1, gradient_accumulation_steps=3), [1.0, 1.0, 1.0]
    )


@fault("all optimizers", KERAS + "18949", 9.9856)
def average_of_the_weights(lib):
    """On JAX and torch, use_ema ends with weights of 0."""
    optimizer = lib.optimizers.SGD(0.01, use_ema=True)
    weight = train(optimizer, [1.0] * 10, start=10.0)
    optimizer.finalize_variable_values([weight])
    return weight


@fault("all optimizers", "", [-2.25, -2.0], "-2.375")
def average_of_the_weights_counts_updates(lib):
    """While gradients are accumulated, `use_ema` averages after every micro-batch."""
    found = []
    for frequency in (None, 2):
        optimizer = lib.optimizers.SGD(
            1.0,
            use_ema=True,
            ema_momentum=0.5,
            ema_overwrite_frequency=frequency,
            gradient_accumulation_steps=2,
        )
        weight = train(optimizer, [1.0] * 6, start=0.0)
        optimizer.finalize_variable_values([weight])
        found.append(weight)
    return found


@fault("all optimizers", KERAS + "20878", 2)
def iterations_under_loss_scaling(lib):
    """LossScaleOptimizer does not count iterations."""
    optimizer = keras.optimizers.LossScaleOptimizer(lib.optimizers.SGD(0.1))
    train(optimizer, [1.0, 1.0])
    return int(optimizer.iterations)


@fault("all optimizers", "keras-team/keras/pull/21233", 0.9)
def inner_loss_scale(lib):
    """LossScaleOptimizer scales gradients by the loss scale of the inner optimizer."""
    inner = lib.optimizers.SGD(1.0, loss_scale_factor=2.0)
    optimizer = keras.optimizers.LossScaleOptimizer(inner, initial_scale=1000.0)
    return train(optimizer, [100.0])


@fault("all optimizers", "keras-team/tf-keras/issues/644", 0.5)
def loss_scale_below_one(lib):
    """The loss scale never falls below 1, so that training can be stuck for ever."""
    optimizer = keras.optimizers.LossScaleOptimizer(
        lib.optimizers.SGD(1.0), initial_scale=1.0
    )
    train(optimizer, [np.inf])
    return optimizer.scale_loss(ops.array(1.0))


@fault("all optimizers", KERAS + "17278", "ValueError")
def two_ways_to_clip_at_once(lib):
    """Both clipnorm and global_clipnorm are accepted."""
    lib.optimizers.SGD(0.1, clipnorm=1.0, global_clipnorm=1.0)
    return "accepted"


def trained_on_one_token(lib, optimizer):
    """The token's vector of one number, 1 at first; its two gradients are 1 each."""
    model = keras.Sequential([lib.layers.Embedding(1, 1, "ones")])
    model.compile(optimizer, "mse", run_eagerly=True)
    model.fit(np.zeros((1, 2), "int32"), np.zeros((1, 2, 1)), verbose=0)
    return float(model.get_weights()[0][0, 0])


@fault(
    "Adagrad, Adam, RMSprop and others",
    "",
    [0.9, 0.9, 0.9],
    "0.86 on TensorFlow",
    ("tensorflow",),
)
def squares_of_a_repeated_token(lib):
    """Gradients of a token that occurs twice in a batch are squared one by one."""
    optimizers = (
        lib.optimizers.Adagrad(0.1, initial_accumulator_value=0.0),
        lib.optimizers.Adam(0.1),
        lib.optimizers.RMSprop(0.1, rho=0.0),
    )
    return [trained_on_one_token(lib, optimizer) for optimizer in optimizers]


@fault(
    "all optimizers",
    "",
    [-0.5, 0.0, 0.0],
    "-1.0, -0.41, -0.41 on TensorFlow",
    ("tensorflow",),
)
def clipping_of_a_repeated_token(lib):
    """Gradients of a token that occurs twice in a batch are clipped one by one."""
    limits = ({"clipvalue": 1.5}, {"clipnorm": 1.0}, {"global_clipnorm": 1.0})
    optimizers = (lib.optimizers.SGD(1.0, **limit) for limit in limits)
    return [trained_on_one_token(lib, optimizer) for optimizer in optimizers]


@fault("all optimizers", "", 0.0, "an error on TensorFlow", ("tensorflow",))
def loss_scale_of_an_embedding(lib):
    """`loss_scale_factor` fails where the gradient is that of an embedding."""
    return trained_on_one_token(lib, lib.optimizers.SGD(0.5, loss_scale_factor=2.0))


@fault("AdamW", KERAS + "19051", 0.89)
def decay_of_adamw_is_decoupled(lib):
    """The decay is added to the gradient, as in L2 regularization."""
    return train(lib.optimizers.AdamW(0.1, weight_decay=0.1), [1.0])


@fault("Muon", KERAS + "21793", True)
def muon_trains_a_model(lib):
    """Training fails on TensorFlow: its variables have no path."""
    model = keras.Sequential([keras.Input((2,)), lib.layers.Dense(2)])
    model.compile(optimizer=lib.optimizers.Muon(0.01), loss="mse")
    model.fit(array(4, 2), array(4, 2), verbose=0)
    return is_finite(model.layers[0].kernel)


@fault("Muon", "keras-team/keras/pull/21857", [True, False])
def decay_of_the_variables_that_muon_leaves_to_adam(lib):
    """Matrices and vectors have one decay, though Muon and Adam need different ones."""
    model = keras.Sequential([keras.Input((2,)), lib.layers.Dense(2)])
    optimizer = lib.optimizers.Muon(0.1, weight_decay=0.5, adam_weight_decay=0.0)
    optimizer.build(model.trainable_variables)
    kernel, bias = model.trainable_variables
    bias.assign(ops.ones(2))
    before = [ops.convert_to_numpy(v).copy() for v in (kernel, bias)]
    optimizer.apply([ops.zeros((2, 2)), ops.zeros(2)])
    after = [ops.convert_to_numpy(v) for v in (kernel, bias)]
    return [bool(np.any(a != b)) for a, b in zip(after, before)]


@fault("ExponentialDecay", "keras-team/keras/pull/18722", "ValueError")
def decay_over_no_steps(lib):
    """`decay_steps=0` gives a rate of NaN or 0 instead of an error."""
    return lib.optimizers.schedules.ExponentialDecay(0.1, 0, 0.5)(0)


@fault("PolynomialDecay", "tensorflow/tensorflow/pull/13271", 0.1)
def cyclic_polynomial_decay_at_step_zero(lib):
    """With cycle=True the rate of step 0 is NaN."""
    return lib.optimizers.schedules.PolynomialDecay(0.1, 10, cycle=True)(0)


@fault("all optimizers", KERAS + "19492", True)
def schedule_set_after_the_start(lib):
    """A rate that a schedule replaces stays among the variables that are saved."""
    optimizer = lib.optimizers.SGD(0.1)
    optimizer.learning_rate = lib.optimizers.schedules.CosineDecay(0.1, 10)
    optimizer.build([keras.Variable(1.0)])
    fresh = reloaded(optimizer, keras.optimizers)
    fresh.build([keras.Variable(1.0)])
    return len(optimizer.variables) == len(fresh.variables)


@fault("GRU", "keras-team/keras/pull/20656", True)
def recurrent_dropout_has_a_mask_per_gate(lib):
    """One mask for all gates keeps a GRU from learning at large rates."""
    layer = lib.layers.GRU(3, recurrent_dropout=0.5)
    return is_finite(layer(array(2, 4, 2), training=True))


@fault("LSTM", "tensorflow/tensorflow/issues/29391", True)
def dropout_of_every_call(lib):
    """All calls have the same dropout."""
    layer, x = lib.layers.LSTM(2, dropout=0.5, recurrent_dropout=0.5), array(1, 10, 4)
    sums = (ops.convert_to_numpy(layer(x, training=True)).sum() for _ in range(5))
    return len(set(sums)) > 1


@fault("Bidirectional", KERAS + "20588", [False, False])
def both_directions_know_use_cudnn(lib):
    """A Bidirectional forgets use_cudnn=False of the layer that it copies."""
    layer = lib.layers.Bidirectional(lib.layers.LSTM(2, use_cudnn=False))
    return [layer.forward_layer.use_cudnn, layer.backward_layer.use_cudnn]


@fault("LSTM", KERAS + "17596", [True, True], "zeros")
def zero_output_concerns_sequences_only(lib):
    """zero_output_for_mask zeroes a single last output as well."""
    found = []
    for backwards, mask in ((False, [[1, 1, 0]]), (True, [[0, 1, 1]])):
        layer = lib.layers.LSTM(2, zero_output_for_mask=True, go_backwards=backwards)
        y = layer(array(1, 3, 2), mask=np.array(mask, "bool"))
        found.append(bool(np.all(ops.convert_to_numpy(y) != 0)))
    return found


@fault("LSTM", KERAS + "20875", True, "an error on torch", ("torch",))
def stateful_lstm_trains(lib):
    """On torch, training a stateful LSTM fails."""
    model = keras.Sequential([keras.Input(batch_shape=(2, 3, 4))])
    model.add(lib.layers.LSTM(2, stateful=True))
    model.compile(optimizer="sgd", loss="mse")
    model.fit(array(2, 3, 4), array(2, 2), batch_size=2, epochs=2, verbose=0)
    return is_finite(model.layers[0].weights[0])


@fault("Bidirectional", KERAS + "4192", True)
def padding_before_or_after(lib):
    """The backward states depend on where the padding stands."""
    layer = lib.layers.Bidirectional(lib.layers.SimpleRNN(2))
    x = array(1, 2, 3)
    zero = np.zeros((1, 1, 3), "float32")
    after = layer(np.concatenate([x, zero], 1), mask=np.array([[1, 1, 0]], "bool"))
    before = layer(np.concatenate([zero, x], 1), mask=np.array([[0, 1, 1]], "bool"))
    return bool(np.allclose(*map(ops.convert_to_numpy, (after, before)), atol=1e-6))


@fault("Bidirectional", "tensorflow/tensorflow/issues/34055", True)
def reset_of_a_stateful_bidirectional(lib):
    """Resetting the states does nothing."""
    layer = lib.layers.Bidirectional(lib.layers.GRU(2, stateful=True))
    x = array(1, 3, 2)
    first = ops.convert_to_numpy(layer(x)).copy()
    layer.reset_state()
    return bool(np.allclose(first, ops.convert_to_numpy(layer(x)), atol=1e-6))


@fault("Lookahead, SWA", ADDONS + "2662", True, "not in Keras; an error in Addons")
def averaging_around_nadam(lib):
    """SWA around Nadam fails."""
    if lib is keras:
        return "not in Keras"
    return is_finite(train(lib.optimizers.SWA(lib.optimizers.Nadam(0.1)), [1.0, 1.0]))


@fault("Lamb", "keras-team/keras/pull/21238", True, "NaN")
def lamb_of_bfloat16_weights(lib):
    """beta_2 = 0.999 rounds to 1 in bfloat16, and weights become NaN."""
    return is_finite(
        train(lib.optimizers.Lamb(0.1), [[0.0, 1.0]], [1.0, 1.0], "bfloat16")
    )


@fault("Adam", "keras-team/keras-hub/issues/2629", True, "does not move")
def adam_of_bfloat16_weights(lib):
    """Weights in bfloat16 do not move, since the averages of Adam underflow."""
    weight = train(lib.optimizers.Adam(0.1), [1.0] * 3, 1.0, "bfloat16")
    return abs(float(ops.cast(weight, "float32")) - 0.7) < 0.02


@fault("Adam", KERAS + "11860", True)
def adam_of_float16_weights(lib):
    """Weights in float16 become NaN."""
    return is_finite(train(lib.optimizers.Adam(0.1), [0.0, 1e-4], 1.0, "float16"))


@fault("TimeDistributed", KERAS + "4786", [2, 3], "the mask of the words")
def mask_behind_the_last_word_of_each_sentence(lib):
    """The mask of the words goes on where there is one vector per sentence."""
    layer = lib.layers.TimeDistributed(keras.layers.LSTM(2))
    words, mask = ops.ones((2, 3, 4, 5)), ops.ones((2, 3, 4), "bool")
    layer(words)
    return list(layer.compute_mask(words, mask).shape)


@fault("ConvLSTM2D", "", True, "another output on JAX", ("jax",))
def masked_images(lib):
    """On JAX the mask of the steps is laid along the images."""
    layer = lib.layers.ConvLSTM2D(2, 2)
    x = array(3, 2, 4, 4, 1)
    masked = layer(x, mask=np.array([[1, 0], [1, 1], [1, 1]], "bool"))
    desired = [layer(x[:1, :1]), layer(x[1:])]
    desired = ops.concatenate(desired, axis=0)
    return bool(np.allclose(*map(ops.convert_to_numpy, (masked, desired)), atol=1e-6))


@fault("StackedRNNCells", "", [2, 3], "an error")
def stack_of_one_cell_under_a_mask(lib):
    """A stack of a single LSTM cell returns other states than it is given."""
    cells = lib.layers.StackedRNNCells([keras.layers.LSTMCell(3)])
    y = keras.layers.RNN(cells)(array(2, 2, 4), mask=np.array([[1, 0]] * 2, "bool"))
    return list(y.shape)


@fault(
    "ScheduleFreeAdamW",
    "",
    0.845,
    "0.85 on TensorFlow and torch",
    ("tensorflow", "torch"),
)
def average_of_schedule_free_adam(lib):
    """The average is computed with the z after the step, instead of that before it."""
    return train(lib.optimizers.ScheduleFreeAdamW(0.1), [3.0, 3.0])


@fault("ScheduleFreeAdamW", "", 0.9, "-0.1")
def schedule_free_adam_of_loaded_weights(lib):
    """Weights that are loaded after the optimizer was built are left at once."""
    weight = keras.Variable(0.0)
    optimizer = lib.optimizers.ScheduleFreeAdamW(0.1)
    optimizer.build([weight])
    weight.assign(1.0)
    optimizer.apply([ops.convert_to_tensor(3.0)], [weight])
    return weight
