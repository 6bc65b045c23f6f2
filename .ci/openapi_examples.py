"""Checks that each example of an OpenAPI document fits its schema: openapi_examples.py <file>. jsonschema_rs comes with schemathesis."""

import json
import sys

import jsonschema_rs

with open(sys.argv[1], encoding="utf-8") as file:
    document = json.load(file)

examples, wrong = 0, []


def check(where, content):
    """Checks the example of each media type."""
    global examples
    for media_type, media in content.items():
        if "example" in media:
            examples += 1
            schema = {"allOf": [media["schema"]], "components": document["components"]}
            for error in jsonschema_rs.validator_for(schema).iter_errors(media["example"]):
                wrong.append(f"{where} {media_type}: {error.instance_path}: {error.message}")


for path, methods in document["paths"].items():
    for method, operation in methods.items():
        check(f"{method} {path}", operation.get("requestBody", {}).get("content", {}))
        for status, answer in operation["responses"].items():
            check(f"{method} {path} {status}", answer.get("content", {}))

if wrong or not examples:
    sys.exit("\n".join(wrong) or "the document has no examples")
print(f"{examples} examples fit their schemas")
