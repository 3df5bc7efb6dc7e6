"""Many designs: families evaluated together."""
