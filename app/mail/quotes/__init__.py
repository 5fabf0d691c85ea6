"""Quotes and signatures are folded for display and never cut.

Hiding an author's words is worse than showing a quote, so in doubt the text stays visible.
"""

from app.mail.quotes.html import fold_html
from app.mail.quotes.markup import KEPT_IDS, KEPT_NAMES
from app.mail.quotes.text import fold_text, own_words

__all__ = ["KEPT_IDS", "KEPT_NAMES", "fold_html", "fold_text", "own_words"]
