"""Challenges: what verifiers ask, how they bind themselves to it beforehand, and how they show it afterwards. Pure.

``pool`` makes conversations like those of ordinary users, ``plan`` says who checks whom in an epoch, ``commitment``
binds a verifier to its challenges, ``opening`` checks what it shows of them. It sends nothing and scores nothing: who
asks is ``engine.node.verifier_role``; what an answer is worth, ``engine.verification.scoring``.
"""
