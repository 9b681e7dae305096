"""What the sensors take where there is a desktop with everything that they ask."""
