"""The wire: service models, both protocols on HTTP, and signatures."""
