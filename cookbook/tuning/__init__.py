"""Hyperparameter search: finds the best settings of a recipe, and says what they gain.

search.py       a search from its first trial to the Config that it returns
confirm.py      further seeds for the best settings
spaces/         the values that a recipe declares, and those of --space
trials/         runner.py trains a trial, keeps its result and recalls it; trial 0, the
                recipe's own settings, is its run_defaults; median_rule.py stops trials
strategies/     engines.py chooses among random search (oracles.py), grid.py,
                bayesian.py (its expected improvement is in surrogate.py), hyperband.py
                (its brackets are those of `plan`) and tpe.py
scale/          several processes, several machines, Ray
insight/        table, pictures, importance of hyperparameters, gain over the defaults
"""
