"""The simulated Lightsail for Research."""
