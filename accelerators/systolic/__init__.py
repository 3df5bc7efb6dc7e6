"""CMOS systolic array: the baseline that the other chips are compared with."""
