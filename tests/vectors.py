"""Search vectors as the parser spells them, taken apart."""

from __future__ import annotations


def words_of(vector: str, weight: str = "") -> list[str]:
    """The words that have this weight (A, B, C; none is D), in the order of the text."""
    placed = (word.partition(":")[::2] for word in vector.split())
    places = [(place, word) for word, places in placed for place in places.split(",") if place]
    mine = sorted((int(place.rstrip("ABC")), word) for place, word in places if place.lstrip("0123456789") == weight)
    return [word for _, word in mine]
