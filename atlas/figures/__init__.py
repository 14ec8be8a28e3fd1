"""Figures of what an atlas holds, with matplotlib (extra `figures`); a page of HTML needs none."""
