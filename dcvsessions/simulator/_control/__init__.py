"""The admin interface of the simulator: JSON over HTTP, on a second port."""
