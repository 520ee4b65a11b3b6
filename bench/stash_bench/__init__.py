"""What Stash costs, measured on the machine at hand; see bench/run."""
