"""Options → set-up → loop: networks trained with a loss, stopped and gone on with bit for bit."""
