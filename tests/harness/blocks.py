"""The language of .test files: blocks of lines, parted by blank lines.

A block is a directive, the lines that belong to it, and, behind a line "----", what is expected. A body that has blank
lines of its own is written as `directive <<END` and ends at a line END. In what is expected, "." is a blank line.
"""
from dataclasses import dataclass, field


@dataclass
class Block:
    line: int  # of the directive, from 1
    verb: str
    arguments: str
    body: list = field(default_factory=list)
    expected: list = None  # None: nothing is said about the outcome

    def text(self):
        return "".join(line + "\n" for line in self.body)


class TestFileError(Exception):
    """The .test file itself is wrong."""


def parse_blocks(text):
    """Splits the text of a .test file into blocks; comments stand alone or between blocks."""
    blocks, lines, at = [], text.split("\n"), 0
    while at < len(lines):
        line = lines[at]
        at += 1
        if not line.strip() or line.startswith("#"):
            continue
        directive, _, end = line.partition(" <<")
        verb, _, arguments = directive.partition(" ")
        block = Block(at, verb, arguments.strip())
        part = block.body
        while at < len(lines) and (lines[at].strip() or end):
            if end and lines[at] == end:
                end = ""
            elif lines[at] == "----" and not end:
                part = block.expected = []
            else:
                part.append("" if lines[at] == "." and part is block.expected else lines[at])
            at += 1
        if end:
            raise TestFileError(f"line {block.line}: no line {end} ends the body")
        blocks.append(block)
    return blocks
