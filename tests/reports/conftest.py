from __future__ import annotations

from browser import browser, open_page

__all__ = ["browser", "open_page"]
