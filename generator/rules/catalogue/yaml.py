"""YAML: what of it a manifest may be written in."""

from __future__ import annotations

from generator.rules.examples import PAYMENTS, client
from generator.rules.registry import Example, Rule

_SPEC = "https://yaml.org/spec/1.2.2/"
_GOOD = Example({PAYMENTS: client("description: Card payments\n")})

RULES = (
    Rule(
        id="CK101",
        name="not-yaml",
        title="The file is not YAML",
        why="What cannot be read cannot be checked, and a reader that guesses may take another client's access for it.",
        source=_SPEC,
        fix="The finding stands where reading stopped. Most often a value that holds `: ` or ` #` wants quotes, or a "
        "line is indented with a tab.",
        bad=Example({PAYMENTS: client("description: Card payments: nightly\n")}),
        good=Example({PAYMENTS: client('description: "Card payments: nightly"\n')}),
    ),
    Rule(
        id="CK102",
        name="not-utf-8",
        title="The file is not UTF-8, or begins with a byte order mark",
        why="The same bytes are other characters in another encoding: what a reviewer's editor shows would not be what "
        "is rendered. YAML's own recommendation is UTF-8 without a mark.",
        source=f"{_SPEC}#52-character-encodings",
        fix="Save the file as UTF-8 without BOM. The finding names the first byte that is not UTF-8 and its offset.",
        bad=Example({PAYMENTS: client("description: Zahlungen f\xfcr Kunden\n").encode("latin-1")}),
        good=Example({PAYMENTS: client("description: Zahlungen f\xfcr Kunden\n")}),
    ),
    Rule(
        id="CK103",
        name="invisible-character",
        title="A character cannot be seen in a review",
        why="Bidirectional controls, zero-width characters and control characters make a line look like another one, "
        "or act on the terminal it is shown in. They are refused where they stand as themselves and where an escape "
        "in a string makes them. Letters of any language are fine in free text.",
        source="https://trojansource.codes/trojan-source.pdf",
        fix="Delete the character; the finding names its code point.",
        bad=Example({PAYMENTS: client("description: Card \u202epayments\n")}),
        good=_GOOD,
    ),
    Rule(
        id="CK104",
        name="file-too-large",
        title="The file, or a key, a value, a list or a map in it, is larger than any manifest needs",
        why="A manifest describes one client in some forty lines. What is larger is not one, and reading it would cost "
        "everybody's check the time and memory.",
        source="a bound of this tool's own",
        fix="One file, one client: split it, or take out what is no manifest.",
        bad=Example({PAYMENTS: client("# " + "x" * 64 * 1024 + "\n")}),
        good=_GOOD,
    ),
    Rule(
        id="CK105",
        name="nested-too-deeply",
        title="Lists and maps nest deeper than 20 levels",
        why="No manifest needs more than five. libyaml's composer overflows the C stack on deep input, so the depth is "
        "bounded before anything is composed.",
        source="https://github.com/yaml/libyaml/blob/0.2.5/src/loader.c",
        fix="`crosskeys schema` prints what a manifest can hold.",
        bad=Example({PAYMENTS: client(f"description: {'[' * 20}{']' * 20}\n")}),
        good=_GOOD,
    ),
    Rule(
        id="CK106",
        name="empty-file",
        title="The file says nothing",
        why="An empty manifest may be a slip of the editor; taken for no client at all, it would end the access of "
        "one.",
        source="a rule of this tool's own",
        fix="Write the manifest, or delete the file.",
        bad=Example({PAYMENTS: "# to be written\n"}),
        good=_GOOD,
    ),
    Rule(
        id="CK107",
        name="several-documents",
        title="A second document follows the first",
        why="Many readers take the first document and leave the rest unread: a client would be there for a reviewer "
        "and not for the tool.",
        source=f"{_SPEC}#92-streams",
        fix="One file, one manifest: move the other document to a file of its own.",
        bad=Example({PAYMENTS: client() + "---\n" + client(name="ledger")}),
        good=Example({PAYMENTS: client(), "clients/ledger.yaml": client(name="ledger")}),
    ),
    Rule(
        id="CK108",
        name="duplicate-key",
        title="A key is given twice in one map",
        why="YAML forbids it, and most readers take the last one silently. Far apart in a file, the two are easily "
        "missed in a review: the first is read, the second is applied.",
        source=f"{_SPEC}#3213-node-comparison",
        fix="Delete one of them; the finding shows both.",
        bad=Example({PAYMENTS: client("role_name: admin\n")}),
        good=_GOOD,
    ),
    Rule(
        id="CK109",
        name="anchor-or-alias",
        title="A value is written by anchor and alias",
        why="An alias says elsewhere what stands here, so a change in one place changes another that no diff shows. "
        "Aliases of aliases also grow without bound.",
        source=f"{_SPEC}#3222-anchors-and-aliases",
        fix="Write the value out where it is used.",
        bad=Example({PAYMENTS: client("description: &text Card payments\nchange_ref: *text\n")}),
        good=Example({PAYMENTS: client("description: Card payments\nchange_ref: CHG-1042\n")}),
    ),
    Rule(
        id="CK110",
        name="tag",
        title="A value has a tag",
        why="A tag changes what a value is, and some make a reader run code.",
        source="https://github.com/yaml/pyyaml/wiki/PyYAML-yaml.load(input)-Deprecation",
        fix="Delete it. Quotes alone make a string.",
        bad=Example({PAYMENTS: client("description: !!str Card payments\n")}),
        good=_GOOD,
    ),
    Rule(
        id="CK111",
        name="merge-key",
        title="A map is merged into another by `<<`",
        why="Merging was withdrawn with YAML 1.2, and readers disagree on which value wins. A manifest shows all of "
        "it.",
        source="https://yaml.org/type/merge.html",
        fix="Write the values out where they are used.",
        bad=Example({PAYMENTS: client("aws:\n  <<: {role: existing}\n")}),
        good=Example({PAYMENTS: client("aws:\n  role: existing\n")}),
    ),
    Rule(
        id="CK112",
        name="ambiguous-value",
        title="YAML's versions and readers take an unquoted value for different things",
        why="`no` is a boolean to one and a string to another; `012345670123` is a number in base eight to PyYAML and "
        "loses its zero elsewhere; `12:34:56` is 45296; `2027-01-31` is a date. An account id that became another "
        "number would let another account in.",
        source="https://yaml.org/type/",
        fix="Quote it if it is text; write `true` or `false` if it is a boolean.",
        bad=Example({PAYMENTS: client().replace('"111111111111"', "012345670123")}),
        good=Example({PAYMENTS: client(account_id="012345670123")}),
    ),
    Rule(
        id="CK113",
        name="key-not-a-string",
        title="A key is not a string",
        why="Tag keys and names are strings to AWS and Vault; a key that is a number or null to YAML would have to be "
        "guessed back into one.",
        source=f"{_SPEC}#3211-nodes",
        fix="Quote the key.",
        bad=Example({PAYMENTS: client("aws:\n  tags: {4711: cost-center}\n")}),
        good=Example({PAYMENTS: client('aws:\n  tags: {"4711": cost-center}\n')}),
    ),
    Rule(
        id="CK114",
        name="directive",
        title="The file has a YAML directive",
        why="`%YAML` and `%TAG` change how the rest is to be read.",
        source=f"{_SPEC}#68-directives",
        fix="Delete the line, and the `---` after it.",
        bad=Example({PAYMENTS: "%YAML 1.1\n---\n" + client()}),
        good=Example({PAYMENTS: client()}),
    ),
    Rule(
        id="CK120",
        name="not-a-regular-file",
        title="A manifest is a link, a folder, a pipe or the like, or cannot be read",
        why="A link could bring a file of the machine that checks into what is printed about a pull request, and a "
        "pipe would make it wait for ever. A file that cannot be read is never taken for one that is not there.",
        source="https://cwe.mitre.org/data/definitions/59.html",
        fix="Put the manifest itself there, readable by whoever runs the tool.",
        bad=Example({"shared/payments.yaml": client()}, links={PAYMENTS: "../shared/payments.yaml"}),
        good=Example({PAYMENTS: client()}),
    ),
)
