"""AQFP."""
