#!/usr/bin/env python3
"""Checks what the program said against the JSON Schemas: every document, event and line of the log that
the end-to-end tests saw (they keep them in a folder). A file holds one document, or one a line (ndjson).
Prints each that differs and where. Some of each kind must be there.

usage: documents.py SCHEMAS FOLDER
"""
# SPDX-License-Identifier: Apache-2.0
import json
import pathlib
import sys

import jsonschema

RESULTS = "apogee.schema.json"
EVENTS = "apogee-events.schema.json"
SCHEMAS = {
    "apogee.run/1": ["run", "run_line"],
    "apogee.action/1": ["action", "action_line"],
    "apogee.entity/1": ["entity_line"],
    "apogee.plan/1": ["plan"],
    "apogee.runs/1": ["runs"],
    "apogee.list/1": ["list"],
    "apogee.quota/1": ["quota"],
    "apogee.cache/1": ["cache"],
    "apogee.doctor/1": ["doctor"],
}
SHOWN = 5


def documents_of(text):
    try:
        return [json.loads(text)]
    except ValueError:
        return [json.loads(line) for line in text.split("\n") if line]


def kind_of(document):
    """The schema and the definition of it that must hold; a whole document is told from a line by its lists."""
    if isinstance(document, list):
        return RESULTS, "entities"
    if "schema" in document:
        kinds = SCHEMAS.get(document["schema"], [None])
        return RESULTS, kinds[-1] if "entities" not in document else kinds[0]
    return EVENTS, document["event"] if "event" in document else "log"


def checkers(folder):
    schemas = {
        name: json.loads((folder / name).read_text(encoding="utf-8")) for name in (RESULTS, EVENTS)}
    made = {}

    def of(kind):
        name, definition = kind
        if definition not in schemas[name]["$defs"]:
            return None
        if kind not in made:
            made[kind] = jsonschema.Draft202012Validator(
                {**schemas[name], "oneOf": [{"$ref": f"#/$defs/{definition}"}]})
        return made[kind]

    return of


def problems_of(checker, document):
    if not checker:
        yield f"a kind that is not known: {str(document)[:80]}"
        return
    for error in checker.iter_errors(document):
        for inner in error.context or [error]:
            where = "/".join(str(step) for step in inner.absolute_path)
            yield f"/{where}: {inner.message[:200]}"


def main(schemas, folder):
    checker_of = checkers(pathlib.Path(schemas))
    seen = {RESULTS: 0, EVENTS: 0}
    failed = 0
    for path in sorted(pathlib.Path(folder).iterdir()):
        for document in documents_of(path.read_text(encoding="utf-8")):
            kind = kind_of(document)
            problems = list(problems_of(checker_of(kind), document))
            seen[kind[0]] += 1
            if problems:
                failed += 1
                print(f"{path.name}: not as {kind[0]} has {kind[1]}")
                print("\n".join("  " + problem for problem in problems[:SHOWN]))
    print(f"{seen[RESULTS]} documents and {seen[EVENTS]} events and log lines, {failed} not as {schemas} says")
    return 1 if failed or 0 in seen.values() else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
