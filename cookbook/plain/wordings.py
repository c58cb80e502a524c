"""Lines of single recipes that a plain script words differently.

{recipe: [(the lines in the recipe, the lines in the script), ...]}. A recipe that no
longer has the lines is refused, so that this table stays true.
"""

from cookbook.plain.lab.wordings import LAB_WORDINGS

# The short form of the data has tokens for the beginning and the end beside these.
SUBWORDS = [("len(data.subwords)", "data.subwords.vocab_size + 2")]
# A script always trains on the validation part as well, where the recipe can.
WITH_VALIDATION = """\
    with_validation: bool = True  # whether to train on the validation part as well
"""
WORDINGS = {
    **LAB_WORDINGS,
    "cifar10_vit": [
        (
            """\
    return TransformerEncoderBlock(
        2 * D, config.heads, config.dropout, "gelu", normalize_first=True
    )
""",
            """\
    return VisionBlock(D, 2 * D, config.heads, config.dropout)
""",
        ),
        ("    draw_looks(model, data, run)\n", ""),
        (WITH_VALIDATION, ""),
    ],
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
    "mnist_cnn": [
        (
            """\
    # networks, each trained with another seed, whose probabilities are averaged
    ensemble: Repeats = 1
""",
            "",
        ),
        (
            """\
    if config.ensemble > 1:
        model, history = train_ensemble(config, data, run)
    else:
        seed_everything(config.seed)
        model = build(config, data)
        history = train(model, data, config, run)
""",
            """\
    seed_everything(config.seed)
    model = build(config, data)
    history = train(model, data, config, run)
""",
        ),
    ],
    "imdb_minilm": [
        (
            """\
        block = TransformerEncoderBlock(
            bert.hidden,
            bert.heads,
            activation=gelu,
            layer_norm_epsilon=1e-12,
            name=f"block_{i}",
        )
""",
            """\
        block = PostNormBlock(bert.hidden, bert.heads, D, f"block_{i}")
""",
        ),
        (
            """\
        block.self_attention.enable_lora(config.rank)
""",
            """\
        block.self_attention.query_dense.enable_lora(config.rank)
        block.self_attention.value_dense.enable_lora(config.rank)
""",
        ),
        (
            """\
    x, y = data.train
    few = replace(data, train=(x[: config.probed], y[: config.probed]))
    vectors = with_vectors(few, encoder(config, bert), config)
""",
            """\
    vectors = with_vectors(data, encoder(config, bert), config.probed)
""",
        ),
        (
            """\
    before = probe.predict(vectors.validation[0], verbose=0)
    return report_reviews(model, data, history, run, EXPECTED, before)
""",
            """\
    return report_reviews(model, data, history, run, EXPECTED)
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
        (WITH_VALIDATION, ""),
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
            "report_augmentation(model, gan, curve, few, history,",
            "report_augmentation(curve,",
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
    "shakespeare_gpt": [
        (
            """\
def block(config: Config) -> TransformerDecoderBlock:
    sizes = 4 * config.width, config.heads, config.dropout
    if config.variants:
        return TransformerDecoderBlock(*sizes, normalize_first=True, **config.variants)
    return TransformerDecoderBlock(*sizes, normalize_first=True, max_wavelength=10_000)


""",
            "",
        ),
        (
            "block(config)(x)",
            "CausalBlock(config.width, config.heads, config.dropout)(x)",
        ),
    ],
    "shakespeare_rnn": [
        (', "mingru": MinGRU', ""),
        (', "mingru"]', "]"),
        ("LSTM, GRU or minGRU layers.", "LSTM or GRU layers."),
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
