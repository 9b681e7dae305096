"""The long test of the relay graph: thousands of relays, several seeds, and a coalition among them."""
