"""How well a plain script translates images."""

import matplotlib.pyplot as plt
import numpy as np
from scipy.linalg import sqrtm


def report_translation(model, data) -> dict[str, float]:
    """How many test images keep their class, and their Frechet distance; a picture."""
    x, y = data.test
    made = model.generator.predict(x, batch_size=500, verbose=0)
    rows = [images[:10, ..., 0] for images in (x, made, model.inverse(made[:10]))]
    sheet = np.vstack([np.hstack(list(row)) for row in rows])
    plt.imsave("translations.png", sheet, cmap="gray_r")

    f, _ = data.judge.predict(y, batch_size=500, verbose=0)
    g, logits = data.judge.predict(made, batch_size=500, verbose=0)
    share = np.mean(logits.argmax(-1) == data.printed_labels)
    S, T = np.cov(f.T), np.cov(g.T)
    gap = f.mean(0) - g.mean(0)
    apart = gap @ gap + np.trace(S + T - 2 * sqrtm(S @ T).real)
    print(f"same class: {share:.4f}, Frechet distance: {apart:.2f}")
    return {"same class": share, "Frechet distance": apart}
