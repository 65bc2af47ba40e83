"""What happens to recurring payments, one file per use case."""
