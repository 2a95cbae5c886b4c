"""Attacks on the command line: each prepares a situation, runs commands and checks what must hold.

One module is one kind of attack, and each of its public functions an attack. The script
``benchmarks/attacks.py`` runs all of them; ``test_more_attacks.py`` runs the quick ones.
"""
