#!/usr/bin/env python3
"""Checks documents against the JSON Schema: every one that the end-to-end tests saw (they keep them in
a folder). A file holds one document, or one a line (ndjson). Prints each that differs and where.

usage: documents.py SCHEMA FOLDER
"""
# SPDX-License-Identifier: Apache-2.0
import json
import pathlib
import sys

import jsonschema

SCHEMAS = {
    "apogee.run/1": ["run", "run_line"],
    "apogee.action/1": ["action", "action_line"],
    "apogee.entity/1": ["entity_line"],
    "apogee.plan/1": ["plan"],
    "apogee.runs/1": ["runs"],
    "apogee.quota/1": ["quota"],
    "apogee.cache/1": ["cache"],
    "apogee.doctor/1": ["doctor"],
}
SHOWN = 5


def documents_of(text):
    try:
        return [json.loads(text)]
    except ValueError:
        return [json.loads(line) for line in text.splitlines() if line]


def names_of(document):
    """The definitions of which one must hold; the whole document is told from a line by its lists."""
    if isinstance(document, list):
        return "entities"
    kinds = SCHEMAS.get(document.get("schema"))
    if not kinds:
        return None
    return kinds[-1] if "entities" not in document else kinds[0]


def checkers(schema):
    made = {}

    def of(name):
        if name not in made:
            made[name] = jsonschema.Draft202012Validator({**schema, "oneOf": [{"$ref": f"#/$defs/{name}"}]})
        return made[name]

    return of


def problems_of(checker, document):
    for error in checker.iter_errors(document):
        for inner in error.context or [error]:
            where = "/".join(str(step) for step in inner.absolute_path)
            yield f"/{where}: {inner.message[:200]}"


def main(schema_path, folder):
    checker_of = checkers(json.loads(pathlib.Path(schema_path).read_text(encoding="utf-8")))
    seen = failed = 0
    for path in sorted(pathlib.Path(folder).iterdir()):
        for document in documents_of(path.read_text(encoding="utf-8")):
            name = names_of(document)
            problems = list(problems_of(checker_of(name), document)) if name else [
                f"a schema that is not known: {str(document)[:80]}"]
            seen += 1
            if problems:
                failed += 1
                print(f"{path.name}: not as the schema has {name}")
                print("\n".join("  " + problem for problem in problems[:SHOWN]))
    print(f"{seen} documents, {failed} not as {schema_path} says")
    return 1 if failed or not seen else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
