"""Parses search vectors in the parser's form."""

from __future__ import annotations


def words_of(vector: str, weight: str = "") -> list[str]:
    """The words with this weight (A, B, C; none means D), in the order of the text."""
    placed = (word.partition(":")[::2] for word in vector.split())
    places = [(place, word) for word, places in placed for place in places.split(",") if place]
    mine = sorted((int(place.rstrip("ABC")), word) for place, word in places if place.lstrip("0123456789") == weight)
    return [word for _, word in mine]
