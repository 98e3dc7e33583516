"""Where a file of C can be changed by one small mistake, and what it is after that."""
import hashlib
import re
from collections import namedtuple

# offset .. end of the text is replaced by `new`; no change moves a line, for assertions name theirs.
Site = namedtuple("Site", "path function line kind offset end new nth")

TOKEN = re.compile(
    r"(?P<comment>/\*.*?\*/|//[^\n]*)"
    r"|(?P<directive>^[ \t]*\#(?:[^\n\\]|\\.|\\\n)*)"
    r'|(?P<string>"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\')'
    r"|(?P<number>\b(?:0[xX][0-9a-fA-F]+|[0-9]+)[uUlL]*\b(?!\.))"
    r"|(?P<word>[A-Za-z_]\w*)"
    r"|(?P<mark><<=|>>=|\.\.\.|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|[^\s\w])",
    re.S | re.M)

COMPARATORS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}
LOGIC = {"&&": "||", "||": "&&"}
ARITHMETIC = {"+": "-", "-": "+", "+=": "-=", "-=": "+=", "++": "--", "--": "++"}
KEYWORDS = {"if", "else", "for", "while", "do", "switch", "case", "default", "goto", "struct",
            "const", "static", "enum", "union", "unsigned", "break", "continue", "return"}
# Their arguments are left alone: what they check is not what the program does, and a hint to a
# cache changes nothing that can be seen.
LEFT_ALONE = re.compile(r"kr_assert\w*|kr_static_assert|kr_unreachable|bug_is|\w*prefetch\w*")


PATH = re.compile(r"[A-Za-z_]\w*(?:\s*(?:\.|->)\s*\w+)*")
CALL = re.compile(r"(?<!\bsizeof)[A-Za-z_]\w*\s*\(|\+\+|--")
ASSIGNMENT = re.compile(r"([\w.>\s-]+?)\s*[-+|&^]?=(?!=)(.*);", re.S)


def paths_of(text):
    return [re.sub(r"\s", "", path) for path in PATH.findall(text)]


def touches(path, others):
    """Is one of them the same, a part of it, or what it is a part of?"""
    return any(path == other or path.startswith((other + ".", other + "->")) or
               other.startswith((path + ".", path + "->")) for other in others)


def commute(one, other):
    """Two assignments, neither of which reads or writes what the other writes: their order is no
    mistake, and in another one the compiler makes other code of them."""
    a, b = ASSIGNMENT.fullmatch(one), ASSIGNMENT.fullmatch(other)
    if not a or not b or CALL.search(one) or CALL.search(other):
        return False
    target_a, target_b = paths_of(a.group(1)), paths_of(b.group(1))
    return len(target_a) == len(target_b) == 1 and \
        not touches(target_a[0], target_b + paths_of(b.group(2))) and \
        not touches(target_b[0], paths_of(a.group(2)))


class Token:
    __slots__ = ("kind", "text", "at", "end", "partner")

    def __init__(self, kind, text, at):
        self.kind, self.text, self.at, self.end = kind, text, at, at + len(text)
        self.partner = None


def tokens_of(text):
    tokens, opened = [], []
    for found in TOKEN.finditer(text):
        if found.lastgroup == "comment":
            continue
        token = Token(found.lastgroup, found.group(), found.start())
        if token.kind == "mark" and token.text in "([{":
            opened.append(len(tokens))
        elif token.kind == "mark" and token.text in ")]}" and opened:
            token.partner = opened.pop()
            tokens[token.partner].partner = len(tokens)
        tokens.append(token)
    return tokens


def functions_of(tokens):
    """(name, index of the opening brace) of every function."""
    i = 0
    while i < len(tokens):
        token = tokens[i]
        if token.text == "{" and token.kind == "mark":
            before = tokens[i - 1]
            if before.text == ")" and before.partner:
                yield tokens[before.partner - 1].text, i
            i = token.partner
        i += 1


class Body:
    """One function's sites."""

    def __init__(self, text, tokens, begin):
        self.text, self.tokens = text, tokens
        self.begin, self.end = begin + 1, tokens[begin].partner
        self.alone = set()
        for i in range(self.begin, self.end):
            if tokens[i].kind == "word" and LEFT_ALONE.fullmatch(tokens[i].text) and \
                    tokens[i + 1].text == "(":
                self.alone.update(range(i, tokens[i + 1].partner + 1))
        self.statements = list(self.find_statements())

    def is_operand(self, i):
        return self.tokens[i].kind in ("word", "number") and \
            self.tokens[i].text not in KEYWORDS or self.tokens[i].text in (")", "]")

    def is_block(self, i, parent_is_block):
        before = self.tokens[i - 1]
        if before.text == ")":
            return self.tokens[before.partner - 1].text in ("if", "for", "while", "switch")
        return before.text in ("else", "do") or parent_is_block and before.text in ";{}:"

    def find_statements(self):
        """(first, last token, stands in a list) of each statement that is an expression."""
        tokens, begins, blocks = self.tokens, {self.begin: True}, [True]
        for i in range(self.begin, self.end):
            token = tokens[i]
            if token.kind == "mark" and token.text in "([{":
                blocks.append(token.text == "{" and self.is_block(i, blocks[-1]))
            elif token.kind == "mark" and token.text in ")]}":
                blocks.pop()
            if not blocks[-1]:
                continue
            if token.kind == "mark" and token.text in (";", "{", "}"):
                begins[i + 1] = True
            elif token.text == "else":
                begins[i + 1] = False
            elif token.text == ":" and (tokens[i - 2].text == "case" or
                                        tokens[i - 1].text == "default"):
                begins[i + 1] = True
            elif token.text == ")" and tokens[token.partner - 1].text in ("if", "for", "while"):
                begins[i + 1] = False
        for first, in_list in begins.items():
            last = self.statement_end(first)
            if last is not None:
                yield first, last, in_list

    def statement_end(self, first):
        tokens, i = self.tokens, first
        if first >= self.end or tokens[first].text in KEYWORDS - {"break", "continue", "return"} or \
                tokens[first].text in ("{", "}", ";") or first in self.alone:
            return None
        # A declaration: two words in a row.
        if tokens[first].kind == "word" and tokens[first + 1].kind == "word" and \
                tokens[first].text != "return":
            return None
        if tokens[first].text == "return" and tokens[first + 1].text != ";":
            return None
        while i < self.end and tokens[i].text != ";":
            if tokens[i].kind == "directive":
                return None
            if tokens[i].text == "{" and tokens[i - 1].text not in (")", "=", ","):
                return None
            i = tokens[i].partner + 1 if tokens[i].text in ("(", "[", "{") else i + 1
        return i if i < self.end and tokens[i].text == ";" else None

    def span(self, first, last):
        return self.tokens[first].at, self.tokens[last].end

    def sites(self):
        """(kind, offset, end, new text)"""
        for i in range(self.begin, self.end):
            if i not in self.alone:
                yield from self.sites_of_token(i)
        for first, last, _ in self.statements:
            begin, end = self.span(first, last)
            yield "dropped", begin, end, ";" + "\n" * self.text.count("\n", begin, end)
        yield from self.sites_of_order()

    def sites_of_token(self, i):
        token = self.tokens[i]
        begin, end = token.at, token.end
        if token.kind == "number":
            digits = token.text.rstrip("uUlL")
            suffix, base = token.text[len(digits):], 16 if digits[:2] in ("0x", "0X") else 10
            value = int(digits, base if base == 16 or digits == "0" or digits[0] != "0" else 8)
            for other in (value + 1, value - 1):
                if other >= 0:
                    yield "constant", begin, end, (hex(other) if base == 16 else str(other)) + suffix
        elif token.kind == "mark" and token.text in COMPARATORS:
            yield "comparator", begin, end, COMPARATORS[token.text]
        elif token.text in LOGIC:
            yield "logic", begin, end, LOGIC[token.text]
        elif token.text in ("++", "--", "+=", "-="):
            yield "arithmetic", begin, end, ARITHMETIC[token.text]
        elif token.text in ("+", "-") and self.is_operand(i - 1):
            yield "arithmetic", begin, end, ARITHMETIC[token.text]
        elif token.text in ("if", "while") and self.tokens[i + 1].text == "(":
            begin, end = self.span(i + 1, self.tokens[i + 1].partner)
            if not any(j in self.alone for j in range(i + 1, self.tokens[i + 1].partner)):
                yield "negated", begin, end, "(!" + self.text[begin:end] + ")"

    def sites_of_order(self):
        places = {first: last for first, last, in_list in self.statements if in_list}
        for first, last in places.items():
            if last + 1 not in places or self.tokens[first].text in ("break", "continue", "return") \
                    or self.tokens[last + 1].text in ("break", "continue", "return"):
                continue
            begin, middle = self.span(first, last)
            other, end = self.span(last + 1, places[last + 1])
            if commute(self.text[begin:middle], self.text[other:end]):
                continue
            yield ("order", begin, end,
                   self.text[other:end] + self.text[middle:other] + self.text[begin:middle])


def sites_of(path, text):
    tokens, seen = tokens_of(text), {}
    for name, begin in functions_of(tokens):
        if LEFT_ALONE.fullmatch(name):
            continue
        for kind, offset, end, new in Body(text, tokens, begin).sites():
            line = text.count("\n", 0, offset) + 1
            key = (name, kind, line_of(text, offset), new)
            seen[key] = seen.get(key, 0) + 1
            yield Site(path, name, line, kind, offset, end, new, seen[key])


def line_of(text, offset):
    begin = text.rfind("\n", 0, offset) + 1
    return " ".join(text[begin:text.find("\n", offset)].split())


def change_of(text, site):
    """In words: the line before and after, or the statements that changed places."""
    def short(words):
        return " ".join(words.split())

    begin = text.rfind("\n", 0, site.offset) + 1
    end = text.find("\n", site.end)
    before = short(text[begin:end])
    after = short(text[begin:site.offset] + site.new + text[site.end:end])
    return f"{before} => {after}"


def name_of(text, site):
    """The same however the rest of the file changes."""
    words = "|".join((site.path, site.function, site.kind, change_of(text, site), str(site.nth)))
    return hashlib.sha256(words.encode()).hexdigest()[:10]
