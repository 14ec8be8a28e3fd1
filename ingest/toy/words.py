"""The small world of the built-in text, part two: people, their work, their feelings and their bodies."""

from __future__ import annotations

from dataclasses import dataclass

WOMEN: tuple[str, ...] = ("Anna", "Clara", "Ella", "Emma", "Ida", "Julia", "Lena", "Mara", "Nora", "Rosa", "Sara")
MEN: tuple[str, ...] = ("Adam", "Ben", "Carl", "Emil", "Hugo", "Jonas", "Leo", "Max", "Noah", "Oscar", "Paul", "Tom")
PARENTS: tuple[tuple[str, str], ...] = (("mom", "she"), ("dad", "he"))
SIBLINGS: tuple[str, ...] = ("sis", "bro")
CHILDREN: tuple[tuple[str, str], ...] = (("girl", "she"), ("boy", "he"), ("kid", "he"), ("son", "he"))


@dataclass(frozen=True, slots=True)
class Role:
    """What somebody is, where and with what they work, and what for."""

    name: str
    place: str
    """Reads after "the"."""
    tool: str
    """Reads after "the"."""
    task: str
    """Reads after "to"."""
    by: tuple[str, ...] = ("she", "he")
    """The pronouns that can hold the role."""


ROLES: tuple[Role, ...] = (
    Role("nurse", "hospital", "needle", "help the sick"),
    Role("doc", "hospital", "lamp", "heal the sick"),
    Role("teacher", "school", "book", "teach the class"),
    Role("coach", "school", "whistle", "train the team"),
    Role("clerk", "office", "pen", "count the letters"),
    Role("judge", "court", "book", "hear the case"),
    Role("chief", "station", "whistle", "lead the guard"),
    Role("soldier", "station", "sword", "guard the gate"),
    Role("priest", "church", "candle", "bless the bread", ("he",)),
    Role("farmer", "farm", "plough", "plant the seed"),
    Role("baker", "bakery", "oven", "bake the bread"),
    Role("cook", "kitchen", "knife", "make the soup"),
    Role("maid", "castle", "broom", "clean the hall", ("she",)),
    Role("clown", "circus", "mask", "amuse the crowd"),
    Role("sailor", "harbor", "rope", "cross the sea"),
    Role("fisher", "harbor", "net", "catch the fish"),
    Role("miner", "mine", "lamp", "break the rock"),
    Role("painter", "studio", "brush", "paint the wall"),
    Role("singer", "theater", "drum", "sing for the crowd"),
    Role("smith", "workshop", "hammer", "shape the iron"),
)
COURT: tuple[Role, ...] = (
    Role("king", "palace", "crown", "rule the land", ("he",)),
    Role("queen", "palace", "crown", "rule the land", ("she",)),
    Role("duke", "castle", "sword", "guard the hill", ("he",)),
    Role("lord", "castle", "ring", "collect the tax", ("he",)),
)
PUPILS: tuple[tuple[str, str, str], ...] = (
    ("nerd", "read a thick book", "won the science prize"),
    ("jock", "throw a ball", "won the big race"),
    ("punk", "play a loud guitar", "won the music prize"),
)
"""A kind of pupil, what they like to do, what they won."""


@dataclass(frozen=True, slots=True)
class Mood:
    """A latent group of feelings: words that share their causes and the way they show."""

    nouns: tuple[str, ...]
    """Read after "full of"."""
    adjectives: tuple[str, ...]
    gestures: tuple[str, ...]
    """Verbs that are also nouns: "began to smile", "with a smile"."""
    causes: tuple[str, ...]
    """What somebody had done or met; reads after "she had"."""
    words: tuple[str, ...]
    """What is said in this mood, without the closing mark."""
    after: str
    """Reads after "wanted to"."""


MOODS: dict[str, Mood] = {
    "joy": Mood(
        ("joy", "glee", "bliss", "mirth", "cheer"), ("glad", "happy", "merry"), ("smile", "laugh", "grin"),
        ("heard good news", "found the lost ring", "won the game", "met an old friend"),
        ("This is the best day", "What a thrill"), "dance and sing"),
    "grief": Mood(
        ("grief", "woe", "pain", "hurt"), ("sad", "lonely"), ("cry", "sigh", "sob"),
        ("lost a friend", "said the last goodbye", "buried the old dog", "read a sad letter"),
        ("I miss the past", "Nothing is the same"), "be alone"),
    "anger": Mood(
        ("rage", "wrath", "hate", "scorn"), ("mad", "angry", "furious"), ("frown", "shout", "stare"),
        ("been robbed", "heard a lie", "lost the argument", "seen an unfair deal"),
        ("This is not fair", "Leave this house"), "break the door"),
    "fear": Mood(
        ("fear", "dread", "shock", "doubt"), ("tense", "afraid", "scared"), ("gasp", "scream", "shiver"),
        ("seen a wolf", "lost the way", "heard a noise in the dark", "seen a ghost"),
        ("Something is wrong", "We must run"), "hide"),
    "peace": Mood(
        ("peace", "calm", "trust", "hope"), ("calm", "free", "quiet"), ("nod", "pause"),
        ("slept well", "finished the work", "heard soft music", "paid the last debt"),
        ("All is well", "There is no need to hurry"), "sit in the garden"),
    "shame": Mood(
        ("shame", "guilt", "regret"), ("shy", "sorry"), ("blush", "whisper"),
        ("told a lie", "broken the glass", "forgotten a promise", "taken the coin"),
        ("It was my fault", "Please forgive me"), "make it right"),
    "pride": Mood(
        ("pride", "honor"), ("proud", "brave"), ("bow", "wave"),
        ("passed the test", "saved a child", "won the prize", "built a house"),
        ("I did it", "Look at this work"), "tell the whole town"),
    "love": Mood(
        ("love", "charm", "grace"), ("kind", "gentle", "warm"), ("glow", "smile"),
        ("received a letter", "danced all night", "met a kind heart", "come home to a dear friend"),
        ("I will stay forever", "You are dear to me"), "give a flower"),
    "envy": Mood(
        ("envy", "spite", "malice"), ("bored", "jealous"), ("yawn", "shrug"),
        ("waited too long", "seen the new coat of a rival", "come in last of all", "been left out"),
        ("Why not me", "I want that too"), "win at any price"),
}  # fmt: skip
OPPOSITE: dict[str, str] = {
    "joy": "grief", "grief": "joy", "anger": "peace", "fear": "peace", "peace": "anger",
    "shame": "pride", "pride": "shame", "love": "envy", "envy": "love",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Organ:
    """A part of the body and what it is for."""

    name: str
    task: str
    """Reads after "to"."""
    partner: str
    """Another part that it works with; reads after "the"."""


ORGANS: tuple[Organ, ...] = (
    Organ("brain", "think and to remember", "nerve"),
    Organ("nerve", "carry a signal", "brain"),
    Organ("lung", "take in the air", "blood"),
    Organ("blood", "carry the air", "vein"),
    Organ("vein", "hold the blood", "blood"),
    Organ("bone", "hold the body", "muscle"),
    Organ("muscle", "move the body", "bone"),
    Organ("skin", "cover the body", "nerve"),
)
GERMS: tuple[str, ...] = ("virus", "bacteria", "fungus")
ILLNESSES: tuple[str, ...] = ("fever", "cough", "rash", "headache")

CELL_PARTS: tuple[tuple[str, str, str], ...] = (
    ("gene", "DNA", "describe one protein"),
    ("DNA", "chromosome", "store the plan of the cell"),
    ("RNA", "cell", "copy the plan of a gene"),
    ("chromosome", "nucleus", "hold the DNA"),
    ("nucleus", "cell", "keep each chromosome safe"),
    ("cytoplasm", "cell", "fill the space around the nucleus"),
    ("membrane", "cell", "close the cell"),
    ("lipid", "membrane", "make the membrane soft"),
    ("receptor", "membrane", "bind a ligand"),
    ("ligand", "blood", "reach a receptor"),
    ("enzyme", "cytoplasm", "change a substrate"),
    ("substrate", "cytoplasm", "fit an enzyme"),
    ("protein", "cell", "do the work of the cell"),
    ("antibody", "blood", "bind an antigen"),
    ("antigen", "virus", "wake an antibody"),
)
"""A part of the cell, where it is found (reads after "the"), and what it is there to do (reads after "to")."""
