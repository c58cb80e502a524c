"""Short forms of data whose examples are sequences: series, sounds, tagged words."""
