"""Lines of the lab's recipes that a plain script words differently."""

LAB_WORDINGS = {
    "activations_gallery": [
        ("panels[with_formula(name)]", "panels[name]"),
        (
            """\
        y, df = curves = np.stack([f(RANGE), slope(f, RANGE)])
        curves[np.abs(curves) > HIGHEST] = np.nan  # it is not drawn
""",
            "",
        ),
        ("(RANGE, y)", "(RANGE, np.array(f(RANGE)))"),
        ("(RANGE, df)", "(RANGE, slope(f, RANGE))"),
        (
            """\
        # These work on vectors: the first output for the vector (x, 0)
""",
            "",
        ),
        ('"size": (2.3, 2.2), "share": False', ""),
        (
            """\
CURVES = (
    *(linear, exponential, sigmoid, log_sigmoid, tanh, tanh_shrink, softplus),
    *(squareplus, softsign, hard_sigmoid, hard_silu, hard_tanh, sparse_sigmoid),
    *(sparse_plus, soft_shrink, hard_shrink, relu, relu6, leaky_relu),
    *(elu, selu, celu, silu, gelu, mish, lisht, rrelu, snake),
)
""",
            """\
CURVES = (
    *("linear", "exponential", "sigmoid", "log_sigmoid", "tanh", "tanh_shrink"),
    *("softplus", "squareplus", "softsign", "hard_sigmoid", "hard_silu", "hard_tanh"),
    *("sparse_sigmoid", "sparse_plus", "soft_shrink", "hard_shrink", "relu", "relu6"),
    *("leaky_relu", "elu", "selu", "celu", "silu", "gelu", "mish"),
)
""",
        ),
        (
            "shown = {f.__name__: f for f in CURVES}",
            "shown = {name: getattr(keras.activations, name) for name in CURVES}",
        ),
        (
            """\
    title = "Start weights that are too large make tanh and sigmoid flat"
    ylabel = "slopes below 5 % of the steepest (%)"
    draw(saturating, "flat", ylabel, title, run, "saturation.svg")
""",
            "",
        ),
        (
            """\
    title = "Learning that is too fast kills units, but none of leaky ReLU's"
    draw(dying, "dead", "dead units (%)", title, run, "dying.svg")

""",
            "",
        ),
    ],
    "initializers_and_depth": [
        (
            """\
    layout: dict[str, Any] = {"columns": 4, "size": (2.8, 2.9), "styles": STYLES}
    scale: dict[str, Any] = {"yscale": "log", "ylim": (1e-12, 1e12)}
    draw_panels(panels, title, "layer", ylabel, run, name, **layout, **scale)
""",
            """\
    scale = {"yscale": "log", "ylim": (1e-12, 1e12)}
    draw_panels(panels, title, "layer", ylabel, run, name, columns=4, **scale)
""",
        ),
    ],
    "normalization_compared": [
        (
            """\
    shares = {kind: found[kind].dependence for kind in DRAWN}
    title = "Batch normalization's answer to an image depends on its batch"
    ylabel = "deviation from batch to batch\\n(% of that from image to image)"
    draw(shares, title, ylabel, sizes, run, "dependence.svg")
""",
            "",
        ),
    ],
    "optimizer_paths": [
        (', drawn as terms.svg"""', '"""'),
        (
            """\
    draw_lines(
        {name: (np.arange(len(s)) + 1, s) for name, s in lengths.items()},
        "Adagrad's steps shrink, RMSprop's recover, Adam's correction tames its start",
        "step (the gradient is 1, and after step 100 only 0.01)",
        "length of the step (learning rates)",
        *(run, "terms.svg"),
        yscale="log",
    )

""",
            "",
        ),
    ],
    "vanishing_gradients": [
        ("    draw_sizes(sizes, run)\n", ""),
        (
            "first = gradient_norms(model, x, y)[0]",
            "first = np.linalg.norm(kernel_gradients(model, x, y)[0])",
        ),
    ],
    "attention_variants": [
        ("ALiBi()", "ALiBi"),
        ("RelativePositionBias(bidirectional=False)", "RelativePositionBias"),
        (
            "TransformerDecoderBlock(hidden, **",
            "VariedBlock(config.width, hidden, **",
        ),
        ("(b, TransformerDecoderBlock)", "(b, VariedBlock)"),
    ],
    "augmentation_compared": [
        (
            """\
SHIFT = 0.1  # share of a side by which images are shifted, in both directions
TURNS: dict[str, Any] = {"rotation": 0.04, "height_zoom": 0.1, "x_shear": 0.1}
""",
            """\
def shifts() -> keras.layers.Layer:
    return keras.layers.RandomTranslation(0.1, 0.1, "constant")


def affine() -> keras.layers.Layer:
    return keras.layers.Pipeline(
        [
            shifts(),
            keras.layers.RandomRotation(0.04, "constant"),
            keras.layers.RandomZoom(0.1, fill_mode="constant"),
            keras.layers.RandomShear(0.1, fill_mode="constant"),
        ]
    )


""",
        ),
        (
            'lambda: RandomAffine(flip="horizontal")',
            'lambda: keras.layers.RandomFlip("horizontal")',
        ),
        (
            'lambda: RandomAffine(SHIFT, SHIFT, fill_mode="constant", **TURNS)',
            "affine",
        ),
        ('lambda: RandomAffine(SHIFT, SHIFT, fill_mode="constant")', "shifts"),
        (
            """\
        few = data.few(images // len(data.classes), seed).one_hot()
        x, y = in_passes(few.train, size, config.steps, seed)
""",
            """\
        few = data.few(images // len(data.classes), seed)
        x, y = in_passes(few.train, size, config.steps, seed)
        y = keras.utils.to_categorical(y)
""",
        ),
        ("    draw_variants(kinds, data, run)\n", ""),
    ],
    "bias_and_weights": [("    draw_neuron(run)\n", "")],
    "losses_imbalanced": [("    draw_shares(curves, run)\n", "")],
    "regularization_compared": [("    draw_losses(curves, run)\n", "")],
}
