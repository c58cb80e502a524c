"""Report on models that tag the words of sentences."""
