"""What the pipeline does with a built image: deploy, wait, pay once, or go back. Standard library only."""
