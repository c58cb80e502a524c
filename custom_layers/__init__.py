"""Classic techniques as drop-in Keras 3 components; importing this registers them all.

A saved model that holds any of them loads after `import custom_layers`, without
`custom_objects`. The namespaces are Keras's: `from custom_layers.layers import LSTM`.
"""

from . import (
    activations,
    callbacks,
    constraints,
    explanation,
    generation,
    initializers,
    layers,
    losses,
    metrics,
    models,
    optimizers,
    regularizers,
)
