"""Verifying: is every row true, is every file whole, do splits stay apart?"""
