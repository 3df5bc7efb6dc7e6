"""Hostile input: what the program does when files, words, sizes, disks and kills are not kind to it."""
