"""Sentry by its definition: all blocks of all caches, judged anew each time."""


def told(caches, cut):
    """What a member tells whose caches hold these prefixes (each a tuple of letters, one for each block), as a set of
    prefixes. A cache holds every prefix of what it holds."""
    return {prefix for held in caches for prefix in held if len(prefix) % cut == 0 or ways(held, prefix) != 1}


def ways(held, prefix):
    return sum(other[:-1] == prefix for other in held)
