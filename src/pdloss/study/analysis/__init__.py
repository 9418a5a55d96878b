"""After a study: who counts, what people prefer, how surely, and on which scale."""
