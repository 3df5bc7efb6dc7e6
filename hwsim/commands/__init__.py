"""What each command does, one file per group; imported only when the command runs."""
