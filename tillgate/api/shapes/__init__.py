"""What goes over the wire, as the schema shows it and as the code writes it; by subject."""
