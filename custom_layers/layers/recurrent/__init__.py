"""Recurrent cells, which compute one step, and the layers that run them over time."""
