"""What the lab's experiments share: claims, data, training, gradients, pictures."""
