"""Exports: trained models as files that other programs run."""
