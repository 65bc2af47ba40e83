"""`./run bench`: what the product does a second, beside the limits of the machine that it runs on."""
