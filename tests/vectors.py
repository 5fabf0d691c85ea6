"""Reads search vectors in the parser's form."""

from __future__ import annotations


def places_of(vector: bytes) -> dict[str, list[tuple[int, str]]]:
    """Word -> its positions, each with its weight (A, B, C; none means D)."""
    count, at = int.from_bytes(vector[:4]), 4
    found: dict[str, list[tuple[int, str]]] = {}
    for _ in range(count):
        end = vector.index(b"\0", at)
        first = end + 3
        last = first + 2 * int.from_bytes(vector[end + 1 : first])
        numbers = [int.from_bytes(vector[place : place + 2]) for place in range(first, last, 2)]
        found[vector[at:end].decode()] = [(number & 0x3FFF, ("", "C", "B", "A")[number >> 14]) for number in numbers]
        at = last
    assert at == len(vector)
    return found


def words_of(vector: bytes, weight: str = "") -> list[str]:
    """The words with this weight, in the order of the text."""
    places = [(place, word) for word, places in places_of(vector).items() for place, own in places if own == weight]
    return [word for _, word in sorted(places)]
