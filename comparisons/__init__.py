"""Built-in comparisons: one TOML file each, run with ``hwsim compare NAME``."""
