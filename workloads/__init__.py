"""Built-in networks, one folder per family; found through the entry points `hwsim.workloads`."""
