"""Quotes and signatures fold for display and are never cut.

Hiding a word of the author is worse than showing a quote: what is in doubt stays visible.
"""

from app.mail.quotes.html import fold_html
from app.mail.quotes.markup import KEPT_IDS, KEPT_NAMES
from app.mail.quotes.text import fold_text, own_words

__all__ = ["KEPT_IDS", "KEPT_NAMES", "fold_html", "fold_text", "own_words"]
