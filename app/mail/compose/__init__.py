"""Writes mail: header fields, text and files as bytes that every receiver reads alike."""
