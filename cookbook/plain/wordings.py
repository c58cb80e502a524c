"""Lines of single recipes that a plain script words differently.

{recipe: [(the lines in the recipe, the lines in the script), ...]}. A recipe that no
longer has the lines is refused, so that this table stays true.
"""

# The short form of the data has tokens for the beginning and the end beside these.
SUBWORDS = [("len(data.subwords)", "data.subwords.vocab_size + 2")]
WORDINGS = {
    "multi30k_attention": [
        *SUBWORDS,
        (
            """\
    attention: Literal["bahdanau", "luong"] = "bahdanau"  # kind of attention
""",
            "",
        ),
        ("(GRUCell(config.width), config.attention)", "(GRUCell(config.width))"),
    ],
    "multi30k_transformer": [
        *SUBWORDS,
        (
            """\
    sizes = config.expansion * config.width, config.heads, config.dropout
""",
            """\
    hidden = config.expansion * config.width
    sizes = config.width, hidden, config.heads, config.dropout
""",
        ),
        (
            """\
        x = TransformerEncoderBlock(
            *sizes, normalize_first=True, max_wavelength=10_000
        )(x, mask=mask)
""",
            """\
        x = TransformerEncoderBlock(*sizes)(x, mask=mask)
""",
        ),
        (
            """\
        x = TransformerDecoderBlock(
            *sizes, normalize_first=True, max_wavelength=10_000
        )(x, memory, source_mask=mask)
""",
            """\
        x = TransformerDecoderBlock(*sizes)(x, memory, source_mask=mask)
""",
        ),
    ],
    "mnist_transfer": [
        (
            """\
    backbone: str = "own"  # own, or a network of keras.applications, such as VGG16
    weights: str = "imagenet"  # the backbone's weights: imagenet, or a file of them
    # the backbone gets its images enlarged to at least this side
    side: Annotated[int, Between(1, 1024)] = 96
""",
            "",
        ),
        ("; a backbone gets no new blocks", ""),
        (
            """\
    is_own = config.backbone == "own"
    new_blocks = blocks(config.filters)[config.frozen :] if is_own else []
""",
            """\
    new_blocks = blocks(config.filters)[config.frozen :]
""",
        ),
        (
            """\
    is_own = config.backbone == "own"
    smallest = 22 if is_own else 1  # a backbone gets its images enlarged
    data = load_images(
        config.data,
        "mnist",
        config.quick,
        config.image_size,
        smallest=smallest,
        fewest=4 if is_own else 2,  # two for each half
    )
""",
            """\
    data = load_images("mnist", config.quick)
""",
        ),
        (
            """\
    if is_own:
        half = len(data.classes) // 2
        print("First half of the classes: a new network learns")
        features = learn_features(config, data.only(0, half))
        print("Second half of the classes: new layers learn on top of frozen ones")
        data = data.only(half, len(data.classes))
    else:
        features = load_backbone(
            config.backbone, config.weights, data.shape, config.side
        )
""",
            """\
    half = len(data.classes) // 2
    print("First half of the classes: a new network learns")
    features = learn_features(config, data.only(0, half))
    print("Second half of the classes: new layers learn on top of frozen ones")
    data = data.only(half, len(data.classes))
""",
        ),
    ],
    "addition_seq2seq": [
        (
            """\
    attention: Literal["bahdanau", "luong", "none"] = "luong"  # kind of attention
""",
            "",
        ),
        (
            """\
    if config.attention == "none":
        decoder = GRU(config.units, return_sequences=True, name="decoder")
        x = decoder(x, initial_state=state)
    else:
        cell = AttentionDecoderCell(GRUCell(config.units), config.attention)
        decoder = AttentionDecoder(cell, return_sequences=True, name="decoder")
        x = decoder(x, memory, initial_state=[state], memory_mask=mask)
""",
            """\
    cell = AttentionDecoderCell(GRUCell(config.units))
    decoder = AttentionDecoder(cell, return_sequences=True, name="decoder")
    x = decoder(x, memory, initial_state=[state], memory_mask=mask)
""",
        ),
        (
            "return report(model, data, history, run)",
            "return report_sums(model, data, history)",
        ),
    ],
    "backprop_by_hand": [
        ("    draw_step(ledger, forward(after, config), E, E_after, run)\n", ""),
        (
            "Config(config.seed, config.run_dir, config.quick)",
            "Config(seed=config.seed, quick=config.quick)",
        ),
    ],
    "cifar10_resnet": [
        (
            """\
    with_validation: bool = True  # whether to train on the validation part as well
""",
            "",
        ),
    ],
    "gan_anomaly": [
        ("    layers = [\n", "    encoding = [\n"),
        ("keras.Sequential(layers, name", "keras.Sequential(encoding, name"),
        (
            "model, scores, lambda x: G(E(x)), data, history,",
            "scores, lambda x: G(E(x)), data,",
        ),
    ],
    "gan_augment": [
        ("def generator(", "def conditional_generator("),
        ("        generator(config", "        conditional_generator(config"),
        ("the runs that EXPECTED comes from", "those of the figures above"),
        (
            "report_augmentation(model, gan, accuracies, few, history,",
            "report_augmentation(accuracies,",
        ),
        (
            """\
    parts = centre(data)  # pixels from -1 to 1, as generated images have them
    data = replace(
        data,
        train=parts["train"],
        validation=parts["validation"],
        test=parts["test"],
    )
""",
            """\
    data = centre(data)  # pixels from -1 to 1, as generated images have them
""",
        ),
    ],
    "mnist_cgan": [
        ("def generator(", "def conditional_generator("),
        ("        generator(data.shape", "        conditional_generator(data.shape"),
    ],
    "imdb_rnn": [
        (
            """\
    bidirectional: bool = True  # whether to read in both directions
""",
            "",
        ),
        (
            """\
    layer = CELLS[config.cell](config.units, return_sequences=True)
    if config.bidirectional:
        layer = Bidirectional(layer)
""",
            """\
    layer = Bidirectional(CELLS[config.cell](config.units, return_sequences=True))
""",
        ),
    ],
    "mackey_glass_rnn": [
        ("    columns = len(data.columns)\n", ""),
        ("keras.Input((config.window, columns))", "keras.Input((config.window, 1))"),
        ("Dense(config.horizon * columns", "Dense(config.horizon"),
        ('f"{data.columns[0]} (standard', '"value (standard'),
    ],
    "imdb_transformer": [
        (
            """\
        block = TransformerEncoderBlock(
            config.hidden, config.heads, normalize_first=True
        )
        x = block(x, mask=is_word)
""",
            """\
        x = EncoderBlock(config.hidden, config.heads, D)(x, is_word)
""",
        ),
        (
            """\
    x = TokenAndPositionEmbedding(V, config.length, D)(ids)  # T, D
    x = x + BigramEmbedding(config.buckets, D)(ids)
""",
            """\
    positions = ops.cumsum(ops.ones_like(ids), -1) - 1
    x = keras.layers.Embedding(config.length, D)(positions)
    x += keras.layers.Embedding(V, D)(ids) + BigramEmbedding(config.buckets, D)(ids)
""",
        ),
    ],
    "activations_gallery": [
        ("panels[with_formula(name)]", "panels[name]"),
        (
            """\
        y = np.array(f(RANGE))
        y[np.abs(y) > HIGHEST] = np.nan  # it is not drawn
""",
            "",
        ),
        ("(RANGE, y)", "(RANGE, np.array(f(RANGE)))"),
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
    "shakespeare_gpt": [
        (
            """\
        x = TransformerDecoderBlock(
            4 * config.width,
            config.heads,
            config.dropout,
            normalize_first=True,
            max_wavelength=10_000,
        )(x)
""",
            """\
        x = CausalBlock(config.width, config.heads, config.dropout)(x)
""",
        ),
    ],
    "bias_and_weights": [("    draw_neuron(run)\n", "")],
    "losses_imbalanced": [("    draw_shares(curves, run)\n", "")],
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
    "regularization_compared": [("    draw_losses(curves, run)\n", "")],
    "vanishing_gradients": [
        ("    draw_sizes(sizes, run)\n", ""),
        (
            "first = gradient_norms(model, x, y)[0]",
            "first = np.linalg.norm(kernel_gradients(model, x, y)[0])",
        ),
    ],
    "style_transfer": [
        (
            """\
    backbone: str = "own"  # own, random (untrained), or a network of keras.applications
    weights: str = "imagenet"  # the backbone's weights: imagenet, or a file of them
""",
            "",
        ),
        (
            """\
    images = None
    if config.backbone in ("own", "random"):
        images = load_images(
            config.data, "cifar10", config.quick, config.image_size, smallest=22
        )
    teacher = images or config.backbone
    pair = load_pair(config.content, config.style, config.size, teacher)
""",
            """\
    images = in_colour(load_images("cifar10", config.quick))
    pair = load_pair(config.content, config.style, config.size)
""",
        ),
        (
            """\
    networks = feature_networks(config, images, pair.content.shape, mnist_cnn)
    judges = {}
    for name, network in networks.items():
        judges[name] = content_and_style(network)
    describe = judges[config.backbone]
""",
            """\
    network = classifier_of(images, config.network_epochs)
    describe = content_and_style(resized(network, pair.content.shape))
""",
        ),
        (
            "report_style(model, pair, history, judges,",
            "report_style(model, pair, describe,",
        ),
        ("pair.towards(targets_of", "towards(pair, targets_of"),
    ],
}


def reworded(recipe: str, text: str) -> str:
    """The text of a recipe with the lines that a plain script words differently."""
    for old, new in WORDINGS.get(recipe, ()):
        if old not in text:
            raise ValueError(f"{recipe} no longer has the lines {old!r}: see WORDINGS")
        text = text.replace(old, new)
    return text
