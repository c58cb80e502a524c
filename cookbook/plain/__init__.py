"""Plain scripts of recipes: short, with Keras's own classes in place of ours."""
