"""Claims about featlas; `checked` is what checks the types of annotated calls, an int doing for a float as in PEP 484."""

from beartype import BeartypeConf, beartype

checked = beartype(conf=BeartypeConf(is_pep484_tower=True))
