"""Short forms of the reports: figures and a few pictures."""
