"""Short forms of layers, with the arguments that recipes give them."""
