"""Losses, one file a kind of target.

regression      MeanSquaredError, RootMeanSquaredError, MeanAbsoluteError,
                MeanAbsolutePercentageError, MeanSquaredLogarithmicError, Huber,
                LogCosh, Quantile, CosineSimilarity
distribution    Poisson, KLDivergence
classification  BinaryCrossentropy, CategoricalCrossentropy,
                SparseCategoricalCrossentropy
focal           BinaryFocalCrossentropy, CategoricalFocalCrossentropy,
                CategoricalGeneralizedCrossEntropy
margin          Hinge, SquaredHinge, CategoricalHinge
overlap         Dice, Tversky
metric_learning Contrastive, TripletSemiHard, TripletHard, NPairs, Circle
sequence        CTC
base            what they share; goes along when a file is copied
"""
