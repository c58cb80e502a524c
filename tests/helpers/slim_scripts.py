"""Scripts before and after slimming."""

# {what is shown: (before, after)}; the script is all there is.
CASES = {
    "a function that nobody names goes with its comment": (
        """
        # Of no use.
        def f():
            return 1

        def g():
            return 2

        print(g())
        """,
        """
        def g():
            return 2

        print(g())
        """,
    ),
    "a method that nobody names goes, one that Keras calls stays": (
        """
        import keras

        class Layer(keras.layers.Layer):
            def call(self, x):
                return x

            def idle(self):
                return 1

        print(Layer()(1))
        """,
        """
        import keras

        class Layer(keras.layers.Layer):
            def call(self, x):
                return x

        print(Layer()(1))
        """,
    ),
    "an import that nobody reads goes": (
        """
        import math
        from json import dumps, loads

        print(loads("1"))
        """,
        """
        from json import loads

        print(loads("1"))
        """,
    ),
    "an argument that no call passes becomes its default, and the branch goes": (
        """
        def f(x, scale=None):
            if scale is not None:
                x = x * scale
            return x + 1

        print(f(2))
        """,
        """
        def f(x):
            return x + 1

        print(f(2))
        """,
    ),
    "the same through constructors, attributes and **kwargs": (
        """
        import keras

        class _Base(keras.layers.Layer):
            def __init__(self, *, kernel_regularizer, bias, **kwargs):
                super().__init__(**kwargs)
                self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
                self.bias = bias

            def build(self, shape):
                self.kernel = self.add_weight(
                    name="kernel",
                    shape=shape,
                    regularizer=self.kernel_regularizer,
                )
                if self.bias:
                    self.b = self.add_weight(name="b", shape=shape)

        class A(_Base):
            def __init__(self, units, kernel_regularizer=None, bias=False, **kwargs):
                super().__init__(
                    kernel_regularizer=kernel_regularizer, bias=bias, **kwargs
                )
                self.units = units

            def call(self, x):
                return x * self.units

        class B(_Base):
            def __init__(self, kernel_regularizer=None, bias=True, **kwargs):
                super().__init__(
                    kernel_regularizer=kernel_regularizer, bias=bias, **kwargs
                )

        print(A(3)(1), B()(1))
        """,
        """
        import keras

        class _Base(keras.layers.Layer):
            def __init__(self, *, bias):
                super().__init__()
                self.bias = bias

            def build(self, shape):
                self.kernel = self.add_weight(name="kernel", shape=shape)
                if self.bias:
                    self.b = self.add_weight(name="b", shape=shape)

        class A(_Base):
            def __init__(self, units):
                super().__init__(bias=False)
                self.units = units

            def call(self, x):
                return x * self.units

        class B(_Base):
            def __init__(self):
                super().__init__(bias=True)

        print(A(3)(1), B()(1))
        """,
    ),
    "numbers keep their names in formulas, and decide branches": (
        """
        class Adam:
            def __init__(self, rate, beta=0.9, clip=0):
                self.rate = rate
                self.beta = beta
                self.clip = clip

            def step(self, m, g):
                if self.clip > 0:
                    g = min(g, self.clip)
                return self.rate * (self.beta * m + (1 - self.beta) * g)

        print(Adam(0.1).step(1, 2))
        """,
        """
        class Adam:
            def __init__(self, rate):
                self.rate = rate
                self.beta = 0.9

            def step(self, m, g):
                return self.rate * (self.beta * m + (1 - self.beta) * g)

        print(Adam(0.1).step(1, 2))
        """,
    ),
    "calls of a table reach all that it holds": (
        """
        class A:
            def __init__(self, units, backwards=False, depth=1):
                self.text = f"{units} {backwards}"

        class B:
            def __init__(self, units, backwards=False):
                self.text = f"{backwards} {units}"

        KINDS = {"a": A, "b": B}
        print([KINDS[name](3, backwards=True).text for name in "ab"])
        """,
        None,
    ),
    "functions that return their argument, or a constant, go": (
        """
        def number(value):
            return value

        def size(value, name):
            return int(value)

        def nothing(x):
            return None

        def f(x):
            shape = nothing(x)
            return number(x) + size(x, "x") if shape is None else shape

        print(f(2.5), f(3))
        """,
        """
        def f(x):
            return x + int(x)

        print(f(2.5), f(3))
        """,
    ),
    "a private base merges into its only subclass": (
        """
        class _Base:
            # the limit
            limit = 3

            def __init__(self, x):
                self.x = x

            def double(self):
                return 2 * self.x

        class Only(_Base):
            \"\"\"The only one.\"\"\"

            def __init__(self, y):
                super().__init__(y)
                self.y = y + self.x

            def sum(self):
                return self.double() + self.y + self.limit * 2

        print(Only(3).sum(), Only(4).sum())
        """,
        """
        class Only:
            \"\"\"The only one.\"\"\"

            # the limit
            limit = 3

            def __init__(self, y):
                self.x = y
                self.y = y + self.x

            def double(self):
                return 2 * self.x

            def sum(self):
                return self.double() + self.y + self.limit * 2

        print(Only(3).sum(), Only(4).sum())
        """,
    ),
    "elif and else take the place of a branch that never runs": (
        """
        def f(x, kind="b", deep=None):
            if kind == "a":
                return 1
            elif deep:
                return 2
            elif x > 3:
                # large
                return 3
            else:
                return 4

        print(f(2), f(5))
        """,
        """
        def f(x):
            if x > 3:
                # large
                return 3
            else:
                return 4

        print(f(2), f(5))
        """,
    ),
    "a layer without an activation calls none": (
        """
        import keras

        class Dense(keras.layers.Layer):
            def __init__(self, units, activation=None):
                super().__init__()
                self.units = units
                self.activation = keras.activations.get(activation)

            def call(self, x):
                if self.activation is not None:
                    x = self.activation(x)
                return self.activation(x + self.units)

        print(Dense(3)(1))
        """,
        """
        import keras

        class Dense(keras.layers.Layer):
            def __init__(self, units):
                super().__init__()
                self.units = units

            def call(self, x):
                return x + self.units

        print(Dense(3)(1))
        """,
    ),
    "an initializer loses an argument with its key in get_config": (
        """
        import keras

        class Normal(keras.initializers.Initializer):
            def __init__(self, stddev=1.0, axes=None):
                self.stddev = stddev
                self.axes = axes

            def __call__(self, shape):
                return shape if self.axes is None else self.axes

            def get_config(self):
                return {"stddev": self.stddev, "axes": self.axes}

        print(Normal(2.0)(3), Normal(stddev=3.0)(3))
        """,
        """
        import keras

        class Normal(keras.initializers.Initializer):
            def __init__(self, stddev=1.0):
                self.stddev = stddev

            def __call__(self, shape):
                return shape

            def get_config(self):
                return {"stddev": self.stddev}

        print(Normal(2.0)(3), Normal(stddev=3.0)(3))
        """,
    ),
}
