"""Long runs with killed processes: `./run soak`."""
