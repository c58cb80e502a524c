"""Short forms of the data sets, without checks, caches and what fits no flag."""
