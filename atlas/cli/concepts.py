"""`featlas concepts`: which features belong to which concept, and lexicons of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from atlas.choices import CONCEPT_RULES
from atlas.cli.kit.group import LazyGroup, Session
from atlas.cli.kit.output import Out, output_options, take, write
from atlas.cli.kit.params import Finite, OneOf, Said
from atlas.cli.options import add_options, declared
from atlas.filters.subset import Subset

if TYPE_CHECKING:
    from atlas.concepts.lexicons import Change

COMMANDS = {
    "list": ("atlas.cli.concepts:listed", "Count the features of concepts, over SAEs or for two of them."),
    "add": ("atlas.cli.concepts:add", "Put the lexicon of a file into the atlas."),
    "remove": ("atlas.cli.concepts:remove", "Take a concept out of the atlas."),
}
_WITH_A_VALUE = ("--db", "--wait")
_FLAGS = ("-q", "--quiet", "--debug")


class ConceptsGroup(LazyGroup):
    """Takes what names none of its commands for arguments of `list`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `list` before the first word that is no option of every command."""
        first = 0
        while first < len(args) and args[first].split("=")[0] in (*_WITH_A_VALUE, *_FLAGS):
            first += 2 if args[first] in _WITH_A_VALUE else 1
        if args[first : first + 1] not in [[name] for name in (*COMMANDS, "-h", "--help")]:
            args = [*args[:first], "list", *args[first:]]
        return super().parse_args(ctx, args)


@click.group(cls=ConceptsGroup, commands_at=COMMANDS, subcommand_metavar="[A [B]] | COMMAND …")
def concepts() -> None:
    """Count the features that belong to concepts, in every SAE or keyword by keyword in two; add concepts of your own.

    The options of the counts are those of list, which need not be typed: featlas concepts list --help.

    \b
    Examples:
      featlas --db demo.duckdb concepts
      featlas --db demo.duckdb concepts A I --concept Emotions
      featlas --db demo.duckdb concepts A I --rule paper -o table3.csv
      featlas --db demo.duckdb concepts add colours.csv
    """


def pair_options(command: Any) -> Any:
    return add_options(declared(Subset, "match", "measure", "min_value"), command)


@click.command()
@click.argument("a", required=False)
@click.argument("b", required=False)
@click.option("--concept", type=Said(), metavar="NAME", help="Only this concept.")
@click.option(
    "--rule",
    type=OneOf(CONCEPT_RULES),
    default="share",
    show_default=True,
    help="share: some of the ten strongest tokens are keywords. paper: one of the five strongest is, and is a whole "
    "word there, as in the code of arXiv 2410.06981. word: the word at one of the five strongest positions is a "
    "keyword, of one token or of several.",
)
@click.option(
    "--concept-share",
    "min_share",
    type=Finite(share=True),
    metavar="SHARE",
    help="Minimum share of these strongest tokens.  [default: any]",
)
@click.option("--corpus", metavar="NAME", help="Only this corpus; with two SAEs, that of A.")
@pair_options
@output_options
@click.pass_obj
def listed(session: Session, a: str | None, b: str | None, out: Out, **given: Any) -> None:
    """Count features by concept: of every SAE, of A, or keyword by keyword of A and B with the matched pairs of both.

    With two SAEs the keyword (all) stands for the concept as a whole. A pair counts for a keyword that both of its
    features have, and the token filters of featlas pairs have no effect.

    \b
    Examples:
      featlas --db demo.duckdb concepts list
      featlas --db demo.duckdb concepts list A --rule word
      featlas --db demo.duckdb concepts list A I --concept Emotions
    """
    from atlas.concepts.counts import concept_counts, keyword_counts
    from atlas.concepts.lexicons import ConceptRule

    by, which = ConceptRule(given["rule"], given["min_share"]), {name: given[name] for name in ("concept", "corpus")}
    with session.read() as atlas:
        if a is None or b is None:
            taken = take(concept_counts(atlas, by, sae=a, **which), out)
        else:
            subset = Subset(match=given["match"], measure=given["measure"], min_value=given["min_value"])
            counted = keyword_counts(atlas, a, b, by, subset, **which)
            taken = take(counted.found, out)
            if counted.unpaired:
                session.note(f"no pairs are counted: {counted.unpaired.what}")
                session.note(f"  try: {session.with_db(counted.unpaired.hint)}")
    write(taken, session, out, schema="featlas.concept_counts/1" if b is None else "featlas.concept_keywords/1")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=False)
@click.option("--built-in", is_flag=True, help="The concepts that ship with featlas: brings back what was removed.")
@click.option("--name", type=Said(), metavar="NAME", help="Of the concept, for a file with one word a line.")
@click.option("--replace", is_flag=True, help="Let other words take the place of those of a concept that is there.")
@click.pass_obj
def add(session: Session, file: Path | None, built_in: bool, name: str | None, replace: bool) -> None:
    """Put the concepts of FILE into the atlas: CSV with the columns concept and keyword, JSON, or one word a line.

    JSON is {"concept": ["word", ...], ...}. The same words again are nothing to do.

    \b
    Examples:
      featlas --db demo.duckdb concepts add colours.csv
      featlas --db demo.duckdb concepts add animals.txt --name Animals
      featlas --db demo.duckdb concepts add --built-in
    """
    from atlas.concepts.lexicons import add_lexicons, built_in_lexicons, read_lexicons
    from atlas.errors import UsageError

    if (file is None) != built_in:
        raise UsageError(
            "concepts come from a file", hint="featlas concepts add FILE, or featlas concepts add --built-in"
        )
    lexicons, source = built_in_lexicons() if file is None else (read_lexicons(file, name=name), str(file))
    for change in add_lexicons(session.db, lexicons, source=source, replace=replace, wait=session.wait):
        session.note(_told(change))


@click.command()
@click.argument("name", type=Said())
@click.pass_obj
def remove(session: Session, name: str) -> None:
    """Take the concept NAME out of the atlas. Scores that were computed with it stay.

    \b
    Example:
      featlas --db demo.duckdb concepts remove Animals
    """
    from atlas.concepts.lexicons import built_in_lexicons, remove_lexicon

    change = remove_lexicon(session.db, name, wait=session.wait)
    session.note(_told(change))
    if change.concept in built_in_lexicons()[0]:
        session.note("featlas concepts add --built-in brings it back")


def _told(change: Change) -> str:
    """One line about a concept."""
    words = f"{change.n_keywords:,} word{'' if change.n_keywords == 1 else 's'}"
    if change.what == "unchanged":
        return f"{change.concept} is there with these {words} already: nothing to do"
    return f"{change.what} {change.concept}: {words}"
