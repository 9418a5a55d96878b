"""Builds the site: pages of docs/, tutorials that are run, a reference written from the code. `make docs`."""
