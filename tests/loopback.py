"""HTTP from one process of this machine to another."""

import ssl

# Nothing here is encrypted, and a client that loads the certificates of the world takes 20 ms to make.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
