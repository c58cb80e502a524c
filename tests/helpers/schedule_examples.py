"""The rows of `examples` for schedules of the learning rate."""

SCHEDULES = {
    "ExponentialDecay": {
        "initial_learning_rate": 0.1,
        "decay_steps": 2,
        "decay_rate": 0.5,
    },
    "InverseTimeDecay": {
        "initial_learning_rate": 0.1,
        "decay_steps": 2,
        "decay_rate": 0.5,
    },
    "PiecewiseConstantDecay": {"boundaries": [2, 4], "values": [0.1, 0.05, 0.02]},
    "PolynomialDecay": {"initial_learning_rate": 0.1, "decay_steps": 10, "cycle": True},
    "CosineDecay": {"initial_learning_rate": 0.1, "decay_steps": 10},
    "CosineDecayRestarts": {"initial_learning_rate": 0.1, "first_decay_steps": 2},
    "Noam": {"d_model": 16, "warmup_steps": 4},
    "CyclicalLearningRate": {
        "initial_learning_rate": 0.01,
        "maximal_learning_rate": 0.1,
        "step_size": 2,
    },
    "WarmupCosine": {"peak_learning_rate": 0.1, "total_steps": 20},
    "OneCycle": {"maximal_learning_rate": 0.1, "total_steps": 10},
}
