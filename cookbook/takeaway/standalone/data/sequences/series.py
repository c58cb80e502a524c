"""A series to forecast, for a script."""

from cookbook.data.sequences import Forecasts, generated_series


def load_series(name: str, window: int, horizon: int, quick: bool = False) -> Forecasts:
    """The Mackey-Glass series; `name`, the flag --data, chooses no other one here."""
    return generated_series(window, horizon, quick)
