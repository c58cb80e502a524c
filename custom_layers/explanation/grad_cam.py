"""Grad-CAM: which places of an image speak for a class."""

import keras


def grad_cam(model, layer, x, classes):
    """Where in each image its evidence for a class lies: (B, H, W) of `layer`'s maps.

    a_k = mean over places of d logit[class] / d A_k,   A the feature maps of `layer`
    heat = relu(sum over k of a_k * A_k)

    x: images (B, H, W, C); classes: one of the model's classes for each image.
    Paper: Selvaraju et al., "Grad-CAM", 2016, https://arxiv.org/abs/1610.02391
    """
    import tensorflow as tf

    both = keras.Model(model.inputs[0], [layer.output, model.outputs[0]])
    x = tf.convert_to_tensor(x, "float32")
    with tf.GradientTape() as tape:
        A, logits = both(x, training=False)
        asked = tf.reduce_sum(tf.gather(logits, classes, batch_dims=1))
    a = tf.reduce_mean(tape.gradient(asked, A), (1, 2), keepdims=True)
    return tf.nn.relu(tf.reduce_sum(a * A, -1)).numpy()
