"""Other programs need the machine, and how soon it is theirs."""
