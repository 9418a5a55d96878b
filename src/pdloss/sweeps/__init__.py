"""One plan → many trainings, on this machine or a cluster → one table. No torch here: each run is its own process."""
