"""Before a study: which crops, pairs, sides and order, and how many raters."""
