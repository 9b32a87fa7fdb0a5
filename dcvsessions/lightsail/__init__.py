"""Lightsail for Research: the GUI sessions of virtual computers."""
